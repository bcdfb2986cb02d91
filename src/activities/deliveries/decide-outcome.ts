import { retryDelayMs } from '../../domain/delivery.js';
import type { HandlerAnswer } from '../../handlers/handler-host.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import type { ClaimedDelivery, DeliveryOutcome } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Consumer, Integrations } from './open-delivery.js';

/** What becomes of a delivery whose handler gave this answer. */
export function decideOutcome(
  { integrations, now }: Pick<ActivityDependencies, 'now'> & { readonly integrations: Integrations },
  { integration }: Consumer,
  { id, attempts, crashes }: ClaimedDelivery,
  answer: Exclude<HandlerAnswer, { kind: 'crashed' }>,
): Exclude<DeliveryOutcome, { readonly kind: 'crashed' }> {
  if (answer.kind === 'done') return { id, kind: 'succeeded' };
  const { reason, detail } = answer;
  // Not a failed attempt: the delivery waits for the reconnect.
  if (reason === 'credential_dead') return { id, kind: 'released', ran: true, reason };
  const { maxAttempts } = webhookPolicyOf(integrations.find(integration.type));
  const attempt = attempts + crashes + 1;
  const spent = !answer.retryable || attempt >= maxAttempts;
  if (spent) return { id, kind: 'failed', reason, detail, nextAttemptAt: null };
  const waitMs = answer.retryAfterMs ?? retryDelayMs(attempt, Math.random());
  return { id, kind: 'retry', reason, detail, nextAttemptAt: new Date(now().getTime() + waitMs) };
}

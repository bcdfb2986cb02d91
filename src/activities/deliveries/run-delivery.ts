import { retryDelayMs } from '../../domain/delivery.js';
import type { HandlerAnswer, HandlerCall, HandlerFacts, HandlerServices } from '../../handlers/handler-host.js';
import { webhookPolicyOf, type InboundDelivery } from '../../integrations/definition.js';
import { decodeContent } from '../../integrations/delivery-content.js';
import type { ClaimedDelivery, DeliveryOutcome, Integration } from '../../store/port/store.js';
import { deliveryContentBinding } from '../../vault/bindings.js';
import type { ActivityDependencies } from '../dependencies.js';

type Integrations = Pick<ActivityDependencies['integrations'], 'find'>;

/** Everything about an integration that its deliveries share while a consumer works. */
export interface Consumer {
  readonly integration: Integration;
  readonly facts: HandlerFacts;
  readonly services: HandlerServices;
  readonly signal: AbortSignal;
}

/**
 * Opens a delivery for its handler.
 *
 * @throws RelinkError `secret_unreadable`: this worker lacks the key it was sealed with.
 */
export function openDelivery(
  { vault, integrations }: Pick<ActivityDependencies, 'vault'> & { readonly integrations: Integrations },
  { integration, facts }: Consumer,
  delivery: ClaimedDelivery,
): HandlerCall {
  const { id, attempts, crashes } = delivery;
  const { timeoutMs } = webhookPolicyOf(integrations.find(integration.type));
  const binding = deliveryContentBinding(integration.id, delivery.externalId);
  const { headers, body } = decodeContent(vault.openBytes(delivery.sealedContent, binding));
  const inbound: InboundDelivery = {
    id,
    provider: delivery.provider,
    externalId: delivery.externalId,
    receivedAt: delivery.receivedAt.toISOString(),
    headers,
    body,
  };
  return {
    type: integration.type,
    task: { kind: 'webhook', delivery: inbound },
    facts: { ...facts, idempotencyKey: id, attempt: attempts + crashes + 1 },
    timeoutMs,
    alone: delivery.suspect,
  };
}

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

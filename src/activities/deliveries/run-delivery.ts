import { retryDelayMs } from '../../domain/delivery.js';
import { webhookPolicyOf, type InboundDelivery } from '../../integrations/definition.js';
import { decodeContent } from '../../integrations/delivery-content.js';
import type { ClaimedDelivery, DeliveryOutcome, Integration } from '../../store/port/store.js';
import { deliveryContentBinding } from '../../vault/bindings.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { HandlerFacts, HandlerServices } from '../../handlers/handler-host.js';

/** Everything about an integration that its deliveries share while a consumer works. */
export interface Consumer {
  readonly integration: Integration;
  readonly facts: HandlerFacts;
  readonly services: HandlerServices;
  readonly signal: AbortSignal;
}

/** `crashed`: its thread died, so this delivery's claim is left as it is, for the next attempt to find it suspect. */
export type RunResult = DeliveryOutcome | { readonly kind: 'crashed' };

/** Runs one delivery through its handler. Rejects only with the signal's reason. */
export async function runDelivery(
  { vault, handlers, integrations, now }: ActivityDependencies,
  { integration, facts, services, signal }: Consumer,
  delivery: ClaimedDelivery,
): Promise<RunResult> {
  const { id, attempts } = delivery;
  const { maxAttempts, timeoutMs } = webhookPolicyOf(integrations.find(integration.type));
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
  const answer = await handlers.run(
    {
      type: integration.type,
      task: { kind: 'webhook', delivery: inbound },
      facts: { ...facts, idempotencyKey: id, attempt: attempts + 1 },
      timeoutMs,
      alone: delivery.suspect,
    },
    services,
    signal,
  );
  switch (answer.kind) {
    case 'done':
      return { id, kind: 'succeeded' };
    case 'crashed':
      return { kind: 'crashed' };
    case 'failed': {
      const { reason, detail } = answer;
      // Not a failed attempt: the delivery waits for the reconnect.
      if (reason === 'credential_dead') return { id, kind: 'released', ran: true };
      const spent = !answer.retryable || attempts + 1 >= maxAttempts;
      if (spent) return { id, kind: 'failed', reason, detail, nextAttemptAt: null };
      const waitMs = answer.retryAfterMs ?? retryDelayMs(attempts + 1, Math.random());
      return { id, kind: 'retry', reason, detail, nextAttemptAt: new Date(now().getTime() + waitMs) };
    }
  }
}

import type { HandlerCall, HandlerFacts, HandlerServices } from '../../handlers/handler-host.js';
import { webhookPolicyOf, type InboundDelivery } from '../../integrations/definition.js';
import { decodeContent } from '../../integrations/delivery-content.js';
import type { ClaimedDelivery, Integration } from '../../store/port/store.js';
import { deliveryContentBinding } from '../../vault/bindings.js';
import type { ActivityDependencies } from '../dependencies.js';

export type Integrations = Pick<ActivityDependencies['integrations'], 'find'>;

export type OpenDependencies = Pick<ActivityDependencies, 'vault'> & { readonly integrations: Integrations };

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
 * @throws RelinkError `secret_unreadable`: this worker lacks the key it was sealed with. Whatever else it throws says
 * that what is stored is damaged.
 */
export function openDelivery(
  { vault, integrations }: OpenDependencies,
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

import { gateOfState } from '../../integrations/gate-of.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** What an integration has still to work through, and how its subscription stands; both as the API shows them. */
export async function readQueueOf(context: HttpContext, integration: Integration) {
  const { store, integrations, config } = context;
  const [queue, subscription] = await Promise.all([
    store.readQueue(integration.id, config.heldLimit + 1),
    store.getSubscription(integration.id),
  ]);
  const pending = queue?.pending ?? 0;
  const failure = subscription?.failure ?? null;
  return {
    deliveries: {
      pending,
      held: gateOfState(integrations, integration) === 'process' ? 0 : pending,
      oldest_received_at: queue?.oldestReceivedAt.toISOString() ?? null,
    },
    subscription: subscription && {
      expires_at: subscription.expiresAt?.toISOString() ?? null,
      failure: failure && { detail: failure.detail, since: failure.since.toISOString() },
    },
  };
}

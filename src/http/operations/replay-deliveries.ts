import type { DeliveryId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import { gateOfState } from '../../integrations/gate-of.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** Of one call. */
const mostAtOnce = 1_000;

/**
 * Queues one ended delivery again, with all its attempts.
 *
 * @throws RelinkError `not_found`, `delivery_not_replayable`.
 */
export async function replayDelivery(context: HttpContext, integration: Integration, id: DeliveryId): Promise<void> {
  const { store } = context;
  if ((await store.replayDeliveries(integration.id, { id })) === 0) {
    const known = await store.getDelivery(integration.id, id);
    throw new RelinkError(known === null ? 'not_found' : 'delivery_not_replayable', id);
  }
  await wake(context, integration);
}

/** Queues ended ones of a state again, oldest first, a thousand of them at most. */
export async function replayDeliveriesOf(
  context: HttpContext,
  integration: Integration,
  state: 'failed' | 'discarded' | 'expired',
): Promise<{ readonly queued: number; readonly more: boolean }> {
  const queued = await context.store.replayDeliveries(integration.id, { state, limit: mostAtOnce });
  if (queued > 0) await wake(context, integration);
  return { queued, more: queued === mostAtOnce };
}

/** By the gate as it is after the write: a release that came meanwhile did not see what was queued just now. */
async function wake({ store, integrations, intake }: HttpContext, { id }: Integration): Promise<void> {
  const integration = await store.getIntegration(id);
  if (integration !== null && gateOfState(integrations, integration) === 'process') intake.waker.wake(id);
}

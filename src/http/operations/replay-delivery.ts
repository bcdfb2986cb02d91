import type { DeliveryId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';
import { wakeReplayed } from './wake-replayed.js';

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
  await wakeReplayed(context, integration);
}

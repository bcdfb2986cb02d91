import type { IntegrationId } from '../../domain/ids.js';
import { setLifecycle } from '../../domain/integration-state.js';
import { RelinkError } from '../../errors.js';
import { changeIntegration } from '../../integrations/change-integration.js';
import type { HttpContext } from '../dependencies.js';

/**
 * Marks first, removes then: whatever runs for the integration sees IN_DELETION and stops, and a process that dies in
 * between leaves a row that the sweep removes.
 *
 * @throws RelinkError `not_found`, `write_conflict`.
 */
export async function deleteIntegration({ store, intake, log, now }: HttpContext, id: IntegrationId): Promise<void> {
  const changed = await changeIntegration(store, id, state => setLifecycle(state, 'deleting'), now);
  if (changed === null) throw new RelinkError('not_found', id);
  await store.deleteSubscription(id);
  await store.deleteIntegration(id);
  // What it had queued or claimed is discarded by its consumer.
  if (await store.hasPendingDeliveries(id)) intake.waker.wake(id, { always: true });
  log.info({ integrationId: id, from: changed.before.status }, `Integration ${id} was deleted by its user`);
}

import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';
import { wakeReplayed } from './wake-replayed.js';

/** Of one call. */
const mostAtOnce = 1_000;

/** Queues ended ones of a state again, oldest first, a thousand of them at most. */
export async function replayDeliveriesOf(
  context: HttpContext,
  integration: Integration,
  state: 'failed' | 'discarded' | 'expired',
): Promise<{ readonly queued: number; readonly more: boolean }> {
  const queued = await context.store.replayDeliveries(integration.id, { state, limit: mostAtOnce });
  if (queued > 0) await wakeReplayed(context, integration);
  return { queued, more: queued === mostAtOnce };
}

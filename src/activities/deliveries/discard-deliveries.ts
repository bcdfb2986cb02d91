import { Context } from '@temporalio/activity';
import type { Activities } from '../../contracts/activities.js';
import { discardReason } from '../../domain/delivery.js';
import type { DeliveryId } from '../../domain/ids.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countEnded } from '../count-ended.js';
import { nameClaim } from './name-claim.js';
import { readGate } from './read-gate.js';

const pageSize = 100;

/**
 * Takes the ids first, then reads the status, then marks only those ids: what arrives after the status was read is not
 * judged by it. Of a paused integration only what came in during the pause is discarded; what was held before stays.
 */
export function discardDeliveries(dependencies: ActivityDependencies): Activities['discardDeliveries'] {
  const { store, log, now } = dependencies;
  return async ({ integrationId }) => {
    let discarded = 0;
    let after: string | null = null;
    const { row: first } = await readGate(dependencies, integrationId);
    if (first === null || first.status === 'IN_DELETION') {
      // Nobody will consume any more: what a dead consumer left claimed would stay so for ever.
      const { info } = Context.current();
      await store.becomeConsumer(integrationId, nameClaim(info), new Date(info.currentAttemptScheduledTimestampMs));
    }
    for (;;) {
      const page = await store.listDeliveries(integrationId, { state: 'queued' }, { limit: pageSize, after });
      const { gate, row } = await readGate(dependencies, integrationId);
      if (gate !== 'discard') break;
      const keepsEarlier = row !== null && row.status !== 'IN_DELETION';
      const ids = page.rows
        .filter(delivery => !keepsEarlier || delivery.receivedAt >= row.statusSince)
        .map((delivery): DeliveryId => delivery.id);
      const reason = discardReason(row?.status ?? null);
      if (ids.length > 0) {
        const count = await store.discardDeliveries(integrationId, { ids }, reason, now());
        countEnded(Context.current().metricMeter)('discarded', reason, count);
        discarded += count;
      }
      Context.current().heartbeat();
      after = page.next;
      if (after === null) break;
    }
    if (discarded > 0) {
      log.info(
        { integrationId, discarded },
        `Discarded deliveries of ${integrationId}, which takes none: ${discarded}`,
      );
    }
    return { discarded };
  };
}

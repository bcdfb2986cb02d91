import { Context } from '@temporalio/activity';
import type { IntegrationId } from '../../domain/ids.js';
import { takesWebhooks } from '../../integrations/definition.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationGateRow, QueueRow } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countDone } from './count-done.js';

const pageSize = 100;
const batch = 200;
/** Of one integration in one round. */
const expireLimit = 5_000;
const deleteLimit = 20_000;

/**
 * What nobody else would do any more: wakes whoever has something due and was not woken (its intake or its restore died
 * before the signal), keeps held deliveries within their bounds, and applies the retention.
 *
 * "Due and not woken" is read off what is there: something is queued, its gate is open, and neither the delivery nor
 * the status is younger than the sweep's delay. So no mark has to be set by everyone who opens a gate.
 */
export async function sweepDeliveries(
  dependencies: ActivityDependencies,
): Promise<{ readonly woken: number; readonly expired: number }> {
  const { store, now, settings } = dependencies;
  let woken = await wakePrepared(dependencies);
  let expired = 0;
  let after: string | null = null;
  do {
    const page = await store.listQueues({ limit: pageSize, after }, settings.heldLimit + 1);
    const rows = await store.readIntegrationGates(page.rows.map(row => row.integrationId));
    const gates = new Map(rows.map(row => [row.id, row]));
    for (const queue of page.rows) {
      Context.current().heartbeat();
      const done = await sweepQueue(dependencies, queue, gates.get(queue.integrationId) ?? null);
      woken += done.woken;
      expired += done.expired;
    }
    after = page.next;
  } while (after !== null);
  await store.deleteFinishedDeliveries(new Date(now().getTime() - settings.deliveryRetentionMs), deleteLimit);
  return { woken, expired };
}

async function sweepQueue(
  dependencies: ActivityDependencies,
  queue: QueueRow,
  row: IntegrationGateRow | null,
): Promise<{ readonly woken: number; readonly expired: number }> {
  const { store, integrations, log, now, settings } = dependencies;
  const waitedSince = Math.max(queue.oldestReceivedAt.getTime(), row?.statusSince.getTime() ?? 0);
  const isGone = row === null || row.status === 'IN_DELETION';
  const isOpen = row !== null && gateOf(integrations, row) === 'process' && takesWebhooks(integrations.find(row.type));
  if ((isOpen || isGone) && waitedSince < now().getTime() - settings.sweepAfterMs) {
    return { woken: await wake(dependencies, [queue.integrationId]), expired: 0 };
  }
  if (isOpen || isGone) return { woken: 0, expired: 0 };

  const before = new Date(now().getTime() - settings.heldForMs);
  if (queue.oldestReceivedAt >= before && queue.pending <= settings.heldLimit) return { woken: 0, expired: 0 };
  const bounds = { before, keep: settings.heldLimit, limit: expireLimit };
  const { tooLong, tooMany } = await store.expireDeliveries(queue.integrationId, bounds, now());
  if (tooLong + tooMany > 0) {
    log.warn(
      { integrationId: queue.integrationId, tooLong, tooMany },
      `Held deliveries of ${queue.integrationId} fell out of their bounds: ${tooLong} were too old, ${tooMany} too many. They are listed as expired and can be replayed.`,
    );
  }
  return { woken: 0, expired: tooLong + tooMany };
}

/** Those whose subscription is due, or that came back and whose hook for that has not run; a closed gate needs neither. */
async function wakePrepared(dependencies: ActivityDependencies): Promise<number> {
  const { store, integrations, now, settings } = dependencies;
  const due = (await store.listDueSubscriptions(now(), batch)).map(subscription => subscription.integrationId);
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  const unresumed = await store.listUnresumedIntegrations(before, batch);
  const rows = await store.readIntegrationGates(due);
  const open = rows.filter(row => gateOf(integrations, row) === 'process');
  const known = new Set(rows.map(row => row.id));
  for (const id of due) if (!known.has(id)) await store.deleteSubscription(id);
  return wake(dependencies, [...new Set([...open, ...unresumed].map(row => row.id))]);
}

async function wake({ workflows, log }: ActivityDependencies, ids: readonly IntegrationId[]): Promise<number> {
  return countDone(
    ids.map(id => ({ id })),
    log,
    async ({ id }) => {
      await workflows.wakeWebhooks(id);
      return true;
    },
  );
}

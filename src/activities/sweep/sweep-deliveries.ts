import { Context } from '@temporalio/activity';
import { webhookPolicyOf } from '../../integrations/definition.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationGateRow, QueueRow } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countEnded } from '../count-ended.js';
import { walkPages } from '../for-each-page.js';
import { wakeEach } from './wake-each.js';
import { wakePrepared } from './wake-prepared.js';

/** Of one integration at a time, so long as the round has time. */
const expireLimit = 5_000;
const deleteLimit = 20_000;
/** For what may have piled up by more than one bound holds; the round itself has two minutes. */
const expireForMs = 20_000;
const deleteForMs = 20_000;
/** Far beyond the longest attempt. The next one of an integration that still lives writes its row anew. */
const consumerStaysForMs = 86_400_000;

/**
 * What nobody else would do any more: wakes whoever has something due, or to discard, and was not woken (its intake or
 * its restore died before the signal), keeps held deliveries within their bounds, and applies the retention. Consumers of long ago go too: an
 * integration that is gone has nobody else to remove its own.
 *
 * "Due and not woken" is read off what is there: something is queued, its gate is open, and neither the delivery nor
 * the status is younger than the sweep's delay. So no mark has to be set by everyone who opens a gate.
 */
export async function sweepDeliveries(
  dependencies: ActivityDependencies,
  onQueue: (row: IntegrationGateRow) => void,
): Promise<{ readonly woken: number; readonly expired: number }> {
  const { store, now, settings } = dependencies;
  let woken = await wakePrepared(dependencies);
  let expired = 0;
  const expireUntil = Date.now() + expireForMs;
  await walkPages(
    page => store.listQueues(page, settings.heldLimit + 1),
    async queues => {
      const rows = await store.readIntegrationGates(queues.map(queue => queue.integrationId));
      const gates = new Map(rows.map(row => [row.id, row]));
      for (const queue of queues) {
        Context.current().heartbeat();
        const row = gates.get(queue.integrationId) ?? null;
        if (row !== null) onQueue(row);
        const done = await sweepQueue(dependencies, queue, row, expireUntil);
        woken += done.woken;
        expired += done.expired;
      }
    },
  );
  const endedBefore = new Date(now().getTime() - settings.deliveryRetentionMs);
  await repeatUntil(Date.now() + deleteForMs, async () => {
    return (await store.deleteFinishedDeliveries(endedBefore, deleteLimit)) < deleteLimit;
  });
  await store.deleteStaleConsumers(new Date(now().getTime() - consumerStaysForMs), deleteLimit);
  return { woken, expired };
}

async function sweepQueue(
  dependencies: ActivityDependencies,
  queue: QueueRow,
  row: IntegrationGateRow | null,
  expireUntil: number,
): Promise<{ readonly woken: number; readonly expired: number }> {
  const { store, integrations, log, now, settings } = dependencies;
  const waitedSince = Math.max(queue.oldestReceivedAt.getTime(), row?.statusSince.getTime() ?? 0);
  const isGone = row === null || row.status === 'IN_DELETION';
  const gate = gateOf(integrations, row);
  const isOpen = gate === 'process';
  // What came in since the gate discards, and whose intake could not read it after the commit; what was held before stays.
  const isLate = row !== null && gate === 'discard' && queue.newestReceivedAt >= row.statusSince;
  const dueSince = isLate ? queue.newestReceivedAt.getTime() : waitedSince;
  if ((isOpen || isGone || isLate) && dueSince < now().getTime() - settings.sweepAfterMs) {
    if (row !== null && isOpen && !(await mayBeDue(dependencies, row))) return { woken: 0, expired: 0 };
    return { woken: await wakeEach(dependencies, [queue.integrationId]), expired: 0 };
  }
  if (isOpen || isGone) return { woken: 0, expired: 0 };

  const before = new Date(now().getTime() - settings.heldForMs);
  if (queue.oldestReceivedAt >= before && queue.pending <= settings.heldLimit) return { woken: 0, expired: 0 };
  const bounds = { before, keep: settings.heldLimit, limit: expireLimit };
  let tooLong = 0;
  let tooMany = 0;
  await repeatUntil(expireUntil, async () => {
    const done = await store.expireDeliveries(queue.integrationId, bounds, now());
    tooLong += done.tooLong;
    tooMany += done.tooMany;
    return done.tooLong < expireLimit && done.tooMany < expireLimit;
  });
  const count = countEnded(Context.current().metricMeter);
  count('expired', 'held_too_long', tooLong);
  count('expired', 'held_too_many', tooMany);
  if (tooLong + tooMany > 0) {
    log.warn(
      { integrationId: queue.integrationId, tooLong, tooMany },
      `Held deliveries of ${queue.integrationId} fell out of their bounds: ${tooLong} were too old, ${tooMany} too many. They are listed as expired and can be replayed.`,
    );
  }
  return { woken: 0, expired: tooLong + tooMany };
}

/** What waits for its next attempt is not. Where nothing is queued, somebody who may be dead has claimed it all. */
async function mayBeDue(
  { store, integrations, now }: ActivityDependencies,
  { id, type }: IntegrationGateRow,
): Promise<boolean> {
  const next = await store.findNextDue(id, webhookPolicyOf(integrations.find(type)).order);
  return next === null || next.at === null || next.at <= now();
}

/** At least once, and until it says that it is done or the time is over. */
async function repeatUntil(deadline: number, step: () => Promise<boolean>): Promise<void> {
  while (!(await step()) && Date.now() < deadline) Context.current().heartbeat();
}

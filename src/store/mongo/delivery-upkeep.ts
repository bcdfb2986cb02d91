import type { Document } from 'mongodb';
import { type DeliveryReason, replayableStates } from '../../domain/delivery.js';
import type { IntegrationId } from '../../domain/ids.js';
import type { DeliveryStore } from '../port/delivery-store.js';
import type { Collections } from './connect.js';
import { atOnce, pending, stageOf, untouched } from './delivery-documents.js';
import { idOnly } from './id-only.js';

type Upkeep = Pick<
  DeliveryStore,
  'discardDeliveries' | 'expireDeliveries' | 'replayDeliveries' | 'deleteFinishedDeliveries' | 'deleteStaleConsumers'
>;

const byArrival = { sequence: 1 } as const;
const { attempts, crashes, suspect, dueAt, reason, detail, finishedAt } = untouched;
/** Queued again in its old place. */
const replayed = {
  ...{ stage: pending, state: 'queued', attempts, crashes, suspect, dueAt, reason, detail, finishedAt },
  ...{ claim: null, lot: null },
};

/**
 * Takes deliveries out of the queue and puts them back, many at once: found first, then written with their state in the
 * filter, document by document. What was claimed, ended or queued again in between is left as it is, and not counted.
 */
export function createDeliveryUpkeep({ deliveries, consumers }: Collections): Upkeep {
  async function find(filter: Document, sort: Record<string, 1 | -1>, limit: number): Promise<string[]> {
    if (limit <= 0) return [];
    const found = await deliveries.find(filter, idOnly).sort(sort).limit(limit).toArray();
    return found.map(({ _id }) => _id);
  }

  async function end(
    integrationId: IntegrationId,
    ids: readonly string[],
    how: { readonly state: 'discarded' | 'expired'; readonly reason: DeliveryReason },
    now: Date,
  ): Promise<number> {
    if (ids.length === 0) return 0;
    const { modifiedCount } = await deliveries.updateMany(
      { _id: { $in: [...ids] }, integrationId, state: 'queued' },
      { $set: { ...how, detail: null, stage: stageOf(how.state), dueAt: atOnce, finishedAt: now } },
    );
    return modifiedCount;
  }

  return {
    async discardDeliveries(integrationId, which, why, now) {
      const discard = (ids: readonly string[]) => end(integrationId, ids, { state: 'discarded', reason: why }, now);
      if ('ids' in which) return discard(which.ids);
      const { limit } = which;
      const queued = { stage: pending, integrationId, state: 'queued' };
      // Fewer than asked for says that nothing is left: what was claimed meanwhile is made up for by the next ones.
      let done = 0;
      for (;;) {
        const ids = await find(queued, byArrival, limit - done);
        done += await discard(ids);
        if (done >= limit || ids.length === 0) return done;
      }
    },

    async expireDeliveries(integrationId, { before, keep, limit }, now) {
      const queued = { stage: pending, integrationId, state: 'queued' };
      const old = await find({ ...queued, receivedAt: { $lt: before } }, byArrival, limit);
      const tooLong = await end(integrationId, old, { state: 'expired', reason: 'held_too_long' }, now);
      // Counted from the newest down, so that the cost follows what is kept and not what came.
      const [newest] = await deliveries
        .find(queued, { projection: { sequence: 1 } })
        .sort({ sequence: -1 })
        .skip(keep)
        .limit(1)
        .toArray();
      if (newest === undefined) return { tooLong, tooMany: 0 };
      const last: unknown = newest['sequence'];
      const beyond = await find({ ...queued, sequence: { $lte: last } }, byArrival, limit);
      const tooMany = await end(integrationId, beyond, { state: 'expired', reason: 'held_too_many' }, now);
      return { tooLong, tooMany };
    },

    async replayDeliveries(integrationId, which) {
      const unhandled = { integrationId, stage: { $in: replayableStates } };
      const found =
        'id' in which
          ? [which.id]
          : await find({ integrationId, stage: stageOf(which.state) }, { _id: 1 }, which.limit);
      if (found.length === 0) return 0;
      const { modifiedCount } = await deliveries.updateMany({ ...unhandled, _id: { $in: found } }, { $set: replayed });
      return modifiedCount;
    },

    async deleteFinishedDeliveries(before, limit) {
      const over = { finishedAt: { $lt: before } };
      const found = await find(over, { finishedAt: 1 }, limit);
      if (found.length === 0) return 0;
      // With the condition again: one may have been queued again since.
      const { deletedCount } = await deliveries.deleteMany({ ...over, _id: { $in: found } });
      return deletedCount;
    },

    async deleteStaleConsumers(before, limit) {
      const stale = { since: { $lt: before } };
      const found = await consumers.find(stale, idOnly).sort({ since: 1 }).limit(limit).toArray();
      if (found.length === 0) return 0;
      return (await consumers.deleteMany({ ...stale, _id: { $in: found.map(({ _id }) => _id) } })).deletedCount;
    },
  };
}

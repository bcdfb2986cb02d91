import { randomUUID } from 'node:crypto';
import type { IntegrationId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { ClaimRequest } from '../port/delivery-rows.js';
import type { DeliveryStore } from '../port/delivery-store.js';
import { chooseLot, countUnbroken } from './choose-lot.js';
import type { Collections } from './connect.js';
import { byArrival, headFields, pending, toClaimed, toFence, toHead, type QueueHead } from './delivery-documents.js';
import { drawNumbers } from './draw-numbers.js';
import { finishDeliveries } from './finish-deliveries.js';
import { idOnly } from './id-only.js';
import { isDuplicateKey } from './map-mongo-error.js';

type Claims = Pick<
  DeliveryStore,
  'becomeConsumer' | 'noteLooking' | 'findLookedAfter' | 'claimDeliveries' | 'noteCrash' | 'finishDeliveries'
>;

const rounds = 5;

const idsOf = (some: readonly { readonly _id: string }[]) => some.map(({ _id }) => _id);
const inLot = (some: readonly { readonly _id: string }[], lot: string) => ({ _id: { $in: idsOf(some) }, lot });

/**
 * The consumer's calls, by writes to single documents.
 *
 * The consumer's document names the claim that may take deliveries, and a fence: a number that no consumer before it had,
 * drawn from one counter so that it rises also where an old consumer's document was deleted. Every claimed delivery carries the claim, the fence, and the lot: the one call that took it.
 *
 * 1. Becoming: the consumer's document is written first, then what is claimed under a lower fence is queued as suspect.
 * 2. Claiming: read the fence, write the claims, read the consumer again. Still the same: whoever becomes the consumer does
 *    so after these writes and finds them (1). Another one: the writes may have come after its look; they are taken
 *    back, nothing of them was handed out, and the answer is null. So no delivery is handed out by a replaced consumer.
 * 3. A process that dies between those two reads leaves claims that its successor did not see in (1). The successor meets
 *    them in its own next claim, by their lower fence, and queues them then.
 * 4. Ending (finish-deliveries.ts): only by a claim that is the consumer, and each write holds only while the delivery
 *    carries the claim, which (1) took away.
 *
 * By arrival a lot begins with its first delivery alone: of several callers one gets it, and it goes on from there. Nobody
 * passes a delivery that is claimed or not due, so nothing is overtaken. One of the lot that somebody else took between
 * the look and the write ends the lot: what lies behind it goes back.
 */
export function createDeliveryClaims(collections: Collections): Claims {
  const { deliveries, consumers } = collections;
  /** The fence of this claim; null when it is not the consumer. */
  async function readFence(integrationId: IntegrationId, claim: string): Promise<number | null> {
    const consumer = await consumers.findOne({ _id: integrationId, claim });
    return consumer === null ? null : toFence(consumer);
  }

  /** The fence; null when the consumer was handed its work out later than `since`. */
  async function takeConsumer(integrationId: IntegrationId, claim: string, since: Date): Promise<number | null> {
    for (let round = 0; round < rounds; round += 1) {
      const own = await consumers.findOneAndUpdate({ _id: integrationId, claim }, { $set: { since, isLooking: true } });
      if (own !== null) return toFence(own);
      const fence = await drawNumbers(collections, 'fences', 1);
      // Not over one that drew later and wrote sooner: that one came after us.
      const { modifiedCount } = await consumers.updateOne(
        { _id: integrationId, fence: { $lt: fence }, since: { $lte: since } },
        { $set: { claim, since, isLooking: true, fence } },
      );
      if (modifiedCount > 0) return fence;
      try {
        await consumers.insertOne({ _id: integrationId, claim, since, isLooking: true, fence });
        return fence;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        // The other one may be newer, or only have drawn its fence later.
        if ((await consumers.findOne({ _id: integrationId, since: { $gt: since } })) !== null) return null;
      }
    }
    throw new RelinkError('write_conflict', integrationId);
  }

  async function queueAbandoned(integrationId: IntegrationId, fence: number): Promise<void> {
    await deliveries.updateMany(
      { stage: pending, integrationId, state: 'claimed', fence: { $lt: fence } },
      { $set: { state: 'queued', claim: null, lot: null, suspect: true } },
    );
  }

  async function readHead({ integrationId, order, limit, now }: ClaimRequest, fence: number): Promise<QueueHead[]> {
    // Without an order whatever may run now; and in both what a lower fence holds.
    const runnable = {
      $or: [
        { state: 'queued', dueAt: { $lte: now } },
        { state: 'claimed', fence: { $lt: fence } },
      ],
    };
    const found = await deliveries
      .find({ stage: pending, integrationId, ...(order === 'none' ? runnable : {}) }, { projection: headFields })
      .sort(byArrival)
      .limit(limit)
      .toArray();
    return found.map(toHead);
  }

  /** Takes the lot as far as it is still there; how many. */
  async function take(lot: readonly QueueHead[], order: ClaimRequest['order'], set: object): Promise<number> {
    const [first, ...rest] = lot;
    if (first === undefined) return 0;
    const one = { _id: first._id, state: 'queued', suspect: first.suspect };
    if (rest.length === 0 || order === 'arrival') {
      const { modifiedCount } = await deliveries.updateOne(one, { $set: set });
      if (modifiedCount === 0 || rest.length === 0) return modifiedCount;
    }
    const others = order === 'arrival' ? rest : lot;
    const { modifiedCount } = await deliveries.updateMany(
      { _id: { $in: others.map(({ _id }) => _id) }, state: 'queued', suspect: false },
      { $set: set },
    );
    return modifiedCount + (order === 'arrival' ? 1 : 0);
  }

  /** As far as they are still in the lot: whoever became the consumer since has queued them already. */
  async function giveBack(some: readonly { readonly _id: string }[], lot: string): Promise<void> {
    await deliveries.updateMany(inLot(some, lot), { $set: { state: 'queued', claim: null, lot: null } });
  }

  return {
    async becomeConsumer(integrationId, claim, since) {
      const fence = await takeConsumer(integrationId, claim, since);
      if (fence !== null) await queueAbandoned(integrationId, fence);
      return fence !== null;
    },

    async noteLooking(integrationId, claim, isLooking) {
      const consumer = { _id: integrationId, ...(claim !== null && { claim }) };
      await consumers.updateOne(consumer, { $set: { isLooking } });
    },

    async findLookedAfter(ids, since) {
      if (ids.length === 0) return [];
      const found = await consumers
        .find({ _id: { $in: [...ids] }, isLooking: true, since: { $gt: since } }, idOnly)
        .toArray();
      return found.map(({ _id }) => _id as IntegrationId);
    },

    async finishDeliveries(integrationId, claim, outcomes, now) {
      if (outcomes.length === 0) return [];
      if ((await readFence(integrationId, claim)) === null) return outcomes.map(({ id }) => id);
      return finishDeliveries(deliveries, integrationId, claim, outcomes, now);
    },

    async claimDeliveries(request) {
      const { integrationId, claim, order, now } = request;
      for (let round = 0; round < rounds; round += 1) {
        const fence = await readFence(integrationId, claim);
        if (fence === null) return null;
        const head = await readHead(request, fence);
        if (head.some(({ state, fence: holder }) => state === 'claimed' && holder < fence)) {
          await queueAbandoned(integrationId, fence);
          continue;
        }
        const chosen = chooseLot(head, now);
        if (chosen.length === 0) return [];
        const lot = randomUUID();
        if ((await take(chosen, order, { state: 'claimed', claim, fence, lot })) === 0) continue;
        const [holder, taken] = await Promise.all([
          readFence(integrationId, claim),
          deliveries.find(inLot(chosen, lot)).sort(byArrival).toArray(),
        ]);
        if (holder === fence && order === 'none') return taken.map(toClaimed);
        if (holder === fence) {
          const unbroken = countUnbroken(idsOf(chosen), idsOf(taken));
          if (unbroken < taken.length) await giveBack(taken.slice(unbroken), lot);
          return taken.slice(0, unbroken).map(toClaimed);
        }
        await giveBack(chosen, lot);
        return null;
      }
      // Others were faster each time: what they left is for the next call.
      return [];
    },

    async noteCrash(integrationId, id, claim) {
      const { modifiedCount } = await deliveries.updateOne(
        { _id: id, integrationId, state: 'claimed', claim },
        { $inc: { crashes: 1 } },
      );
      return modifiedCount > 0;
    },
  };
}

import { randomUUID } from 'node:crypto';
import { newId } from '../../../../ids.js';
import { atOnce, headFields, pending, stageOf, untouched } from '../../../../store/mongo/delivery-documents.js';
import { drawNumbers } from '../../../../store/mongo/draw-numbers.js';
import { defineOperation, type Operation } from '../operation.js';
import type { Queue, Scene } from '../scene.js';
import type { Sealing } from '../sealing.js';

const claim = 'run/1';
const byArrival = { sequence: 1 } as const;
const fullQueues = (scene: Scene, count: number) => scene.addFullQueues(count, scene.lot, claim);

/** Whoever claims a lot opens it. */
function openAll({ integrationId, deliveries }: Queue, seal: Sealing): void {
  for (const { externalId, sealedContent } of deliveries) seal.openContent(integrationId, externalId, sealedContent);
}

/** Lots in the hands of their consumer. */
async function lots(scene: Scene, count: number) {
  const queues = await fullQueues(scene, count);
  const found = [];
  for (const { integrationId } of queues) {
    const lot = await scene.store.claimDeliveries({
      ...{ integrationId, claim, order: 'arrival', limit: 200, now: new Date() },
    });
    found.push({ integrationId, ids: (lot ?? []).map(({ id }) => id) });
  }
  return found;
}

/** The writes of the intake and of the consumer. */
export const deliveryOperations: readonly Operation[] = [
  defineOperation({
    name: 'insertDeliveries',
    writes: true,
    prepare: (scene, count) =>
      Array.from({ length: count }, () => {
        const integrationId = newId('integration');
        return scene.newDeliveries(integrationId, scene.lot);
      }),
    port: (store, rows, seal) =>
      store.insertDeliveries(
        rows.map(row => ({ ...row, sealedContent: seal.content(row.integrationId, row.externalId) })),
      ),
    prisma: { raw: 1 },
    mongo: async (collections, rows, seal) => {
      const first = await drawNumbers(collections, 'deliveries', rows.length);
      const documents = rows.map(({ id: _id, ...row }, place) => {
        const sealedContent = seal.content(row.integrationId, row.externalId);
        return { _id, ...row, sealedContent, sequence: first + place, size: sealedContent.length, ...untouched };
      });
      return collections.deliveries.insertMany(documents, { ordered: false });
    },
  }),
  defineOperation({
    name: 'becomeConsumer',
    writes: true,
    prepare: (scene, count) => scene.addQueues(count, 1, 'run/0'),
    port: async (store, id) => {
      await store.becomeConsumer(id, claim, new Date());
    },
    prisma: { raw: 2 },
    mongo: async (collections, _id) => {
      const since = new Date();
      await collections.consumers.findOneAndUpdate({ _id, claim }, { $set: { since, isLooking: true } });
      const fence = await drawNumbers(collections, 'fences', 1);
      const filter = { _id, fence: { $lt: fence }, since: { $lte: since } };
      await collections.consumers.updateOne(filter, { $set: { claim, since, isLooking: true, fence } });
      await collections.deliveries.updateMany(
        { stage: pending, integrationId: _id, state: 'claimed', fence: { $lt: fence } },
        { $set: { state: 'queued', claim: null, lot: null, suspect: true } },
      );
    },
  }),
  defineOperation({
    name: 'noteLooking',
    writes: true,
    prepare: (scene, count) => scene.addQueues(Math.min(count, 128), 0, claim),
    port: (store, id) => store.noteLooking(id, claim, false),
    prisma: async (client, integrationId) => {
      await client.deliveryConsumer.updateMany({ where: { integrationId, claim }, data: { isLooking: false } });
    },
    mongo: async ({ consumers }, _id) => {
      await consumers.updateOne({ _id, claim }, { $set: { isLooking: false } });
    },
  }),
  defineOperation({
    name: 'claimDeliveries',
    writes: true,
    prepare: fullQueues,
    port: async (store, queue, seal) => {
      const lot = await store.claimDeliveries({
        ...{ integrationId: queue.integrationId, claim, order: 'arrival', limit: 200, now: new Date() },
      });
      openAll(queue, seal);
      return lot;
    },
    prisma: { raw: 1 },
    mongo: async ({ deliveries, consumers }, queue, seal) => {
      const { integrationId } = queue;
      const consumer = await consumers.findOne({ _id: integrationId, claim });
      const fence: unknown = consumer?.['fence'];
      const head = await deliveries
        .find({ stage: pending, integrationId }, { projection: headFields })
        .sort(byArrival)
        .limit(200)
        .toArray();
      const [first, ...rest] = head.map(({ _id }) => _id);
      if (first === undefined) return [];
      const [lot, state] = [randomUUID(), 'queued'];
      const set = { $set: { state: 'claimed', claim, fence, lot } };
      await deliveries.updateOne({ _id: first, state, suspect: false }, set);
      await deliveries.updateMany({ _id: { $in: rest }, state, suspect: false }, set);
      const [taken] = await Promise.all([
        deliveries
          .find({ _id: { $in: [first, ...rest] }, lot })
          .sort(byArrival)
          .toArray(),
        consumers.findOne({ _id: integrationId, claim }),
      ]);
      openAll(queue, seal);
      return taken;
    },
  }),
  defineOperation({
    name: 'finishDeliveries',
    writes: true,
    prepare: lots,
    port: async (store, { integrationId, ids }) => {
      const outcomes = ids.map(id => ({ id, kind: 'succeeded' as const }));
      const lost = await store.finishDeliveries(integrationId, claim, outcomes, new Date());
      return ids.length - lost.length;
    },
    prisma: { raw: 1 },
    mongo: async ({ deliveries, consumers }, { integrationId, ids }) => {
      await consumers.findOne({ _id: integrationId, claim });
      const ended = { state: 'succeeded', stage: stageOf('succeeded'), dueAt: atOnce, finishedAt: new Date() };
      const filter = { _id: { $in: [...ids] }, integrationId, state: 'claimed', claim, suspect: false };
      const set = { ...ended, reason: null, detail: null, claim: null, lot: randomUUID(), suspect: false };
      return deliveries.bulkWrite([{ updateMany: { filter, update: { $set: set, $inc: { attempts: 1 } } } }], {
        ordered: false,
      });
    },
  }),
  defineOperation({
    name: 'noteCrash',
    writes: true,
    prepare: async (scene, count) =>
      (await lots(scene, Math.ceil(count / scene.lot))).flatMap(({ integrationId, ids }) =>
        ids.map(id => ({ integrationId, id })),
      ),
    port: (store, { integrationId, id }) => store.noteCrash(integrationId, id, claim),
    prisma: (client, { integrationId, id }) =>
      client.delivery.updateMany({ where: { id, integrationId, claim }, data: { crashes: { increment: 1 } } }),
    mongo: ({ deliveries }, { integrationId, id }) =>
      deliveries.updateOne({ _id: id, integrationId, state: 'claimed', claim }, { $inc: { crashes: 1 } }),
  }),
];

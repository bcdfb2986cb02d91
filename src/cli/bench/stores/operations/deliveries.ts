import { randomUUID } from 'node:crypto';
import {
  atOnce,
  headFields,
  pending,
  stageOf,
  untouched,
  withoutContent,
} from '../../../../store/mongo/delivery-documents.js';
import { drawNumbers } from '../../../../store/mongo/draw-numbers.js';
import { newId } from '../../../../ids.js';
import { defineOperation, type Operation } from '../operation.js';
import { each, type Scene } from '../scene.js';

const claim = 'run/1';
const byArrival = { sequence: 1 } as const;
const idOnly = { projection: { _id: 1 } } as const;
/** How many integrations the calls about several ask for. */
const several = 16;

/** A few queues of `each` deliveries that nobody touches. */
const queues = (scene: Scene, count: number) => scene.addQueues(Math.min(count, 2 * several), each, claim);
const fullQueues = (scene: Scene, count: number) => scene.addQueues(count, each, claim);

/** Lists of so many integrations. */
async function groups(scene: Scene) {
  const ids = scene.people.flatMap(({ integrations }) => integrations.map(({ id }) => id));
  return Array.from({ length: Math.floor(ids.length / several) }, (_, place) =>
    ids.slice(place * several, (place + 1) * several),
  );
}

/** Lots in the hands of their consumer. */
async function lots(scene: Scene, count: number) {
  const ids = await fullQueues(scene, count);
  const found = [];
  for (const integrationId of ids) {
    const lot = await scene.store.claimDeliveries({
      ...{ integrationId, claim, order: 'arrival', limit: each, now: new Date() },
    });
    found.push({ integrationId, ids: (lot ?? []).map(({ id }) => id) });
  }
  return found;
}

/** The intake, and the consumer's calls. */
export const deliveryOperations: readonly Operation[] = [
  defineOperation({
    name: `insertDeliveries (${each})`,
    writes: true,
    prepare: async (scene, count) =>
      Array.from({ length: count }, () => {
        const integrationId = newId('integration');
        return scene.newDeliveries(integrationId, each);
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
    name: `readIntegrationGates (${several})`,
    writes: false,
    prepare: groups,
    port: (store, ids) => store.readIntegrationGates(ids),
    prisma: { raw: 1 },
    mongo: ({ integrations }, ids) => {
      const projection = { _id: 1, type: 1, status: 1, statusSince: 1, 'causes.credentialId': 1 };
      return integrations.find({ _id: { $in: [...ids] } }, { projection }).toArray();
    },
  }),
  defineOperation({
    name: `readIntakeTargets (${several})`,
    writes: false,
    prepare: groups,
    port: (store, ids) => store.readIntakeTargets(ids),
    prisma: { raw: 1 },
    mongo: async ({ integrations, subscriptions, entities }, ids) => {
      const asked = { _id: { $in: [...ids] } };
      const projection = { _id: 1, type: 1, status: 1, entityIds: 1, 'causes.credentialId': 1 };
      const [found] = await Promise.all([
        integrations.find(asked, { projection }).toArray(),
        subscriptions.find(asked, { projection: { sealedSecrets: 1 } }).toArray(),
      ]);
      const entityIds = new Set(
        found.flatMap((row): string[] => (Array.isArray(row['entityIds']) ? row['entityIds'] : [])),
      );
      await entities.find({ _id: { $in: [...entityIds] } }, { projection: { provider: 1 } }).toArray();
      return found;
    },
  }),
  defineOperation({
    name: 'hasQueuedDeliveries',
    writes: false,
    prepare: queues,
    port: (store, id) => store.hasQueuedDeliveries(id),
    prisma: { raw: 1 },
    mongo: ({ deliveries }, integrationId) =>
      deliveries.findOne({ stage: pending, integrationId, state: 'queued' }, idOnly),
  }),
  defineOperation({
    name: `findDueIntegrations (${several})`,
    writes: false,
    prepare: async (scene, count) => {
      const ids = await queues(scene, count);
      // Most of those that a worker asks for have nothing.
      return ids.map(id => [id, ...Array.from({ length: several - 1 }, () => newId('integration'))]);
    },
    port: (store, ids) => store.findDueIntegrations(ids, new Date(), ids),
    prisma: { raw: 1 },
    mongo: async ({ deliveries }, ids) => {
      const busy = await deliveries.distinct('integrationId', { stage: pending, integrationId: { $in: [...ids] } });
      const heads = busy.map((integrationId: unknown) =>
        deliveries
          .find({ stage: pending, integrationId }, { projection: headFields })
          .sort(byArrival)
          .limit(1)
          .toArray(),
      );
      return (await Promise.all(heads)).flat();
    },
  }),
  defineOperation({
    name: 'becomeConsumer',
    writes: true,
    prepare: (scene, count) => scene.addQueues(count, 1, 'run/0'),
    port: (store, id) => store.becomeConsumer(id, claim, new Date()),
    prisma: { raw: 2 },
    mongo: async (collections, _id) => {
      const since = new Date();
      await collections.consumers.findOneAndUpdate({ _id, claim }, { $set: { since, isLooking: true } });
      const fence = await drawNumbers(collections, 'fences', 1);
      const filter = { _id, fence: { $lt: fence } };
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
    name: `findLookedAfter (${several})`,
    writes: false,
    prepare: async (scene, count) => {
      const ids = await scene.addQueues(Math.min(count, several * several), 0, claim);
      return ids.map((_, place) =>
        Array.from({ length: several }, (__, more) => ids[(place + more) % ids.length] ?? newId('integration')),
      );
    },
    port: (store, ids) => store.findLookedAfter(ids),
    prisma: { raw: 1 },
    mongo: ({ consumers }, ids) => consumers.find({ _id: { $in: [...ids] }, isLooking: true }, idOnly).toArray(),
  }),
  defineOperation({
    name: `claimDeliveries (${each})`,
    writes: true,
    prepare: fullQueues,
    port: async (store, integrationId, seal) => {
      const lot = await store.claimDeliveries({
        ...{ integrationId, claim, order: 'arrival', limit: each, now: new Date() },
      });
      for (const row of lot ?? []) seal.openContent(integrationId, row.externalId, row.sealedContent);
      return lot;
    },
    prisma: { raw: 1 },
    mongo: async ({ deliveries, consumers }, integrationId, seal) => {
      const consumer = await consumers.findOne({ _id: integrationId, claim });
      const fence: unknown = consumer?.['fence'];
      const head = await deliveries
        .find({ stage: pending, integrationId }, { projection: headFields })
        .sort(byArrival)
        .limit(each)
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
      for (const row of taken) seal.openContent(integrationId, String(row['externalId']), String(row['sealedContent']));
      return taken;
    },
  }),
  defineOperation({
    name: `finishDeliveries (${each})`,
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
      (await lots(scene, Math.ceil(count / each))).flatMap(({ integrationId, ids }) =>
        ids.map(id => ({ integrationId, id })),
      ),
    port: (store, { integrationId, id }) => store.noteCrash(integrationId, id, claim),
    prisma: (client, { integrationId, id }) =>
      client.delivery.updateMany({ where: { id, integrationId, claim }, data: { crashes: { increment: 1 } } }),
    mongo: ({ deliveries }, { integrationId, id }) =>
      deliveries.updateOne({ _id: id, integrationId, state: 'claimed', claim }, { $inc: { crashes: 1 } }),
  }),
  defineOperation({
    name: 'findNextDue',
    writes: false,
    prepare: queues,
    port: (store, id) => store.findNextDue(id, 'arrival'),
    prisma: { raw: 1 },
    mongo: ({ deliveries }, integrationId) =>
      deliveries
        .find({ stage: pending, integrationId, state: 'queued' }, { projection: headFields })
        .sort(byArrival)
        .limit(1)
        .toArray(),
  }),
  defineOperation({
    name: 'readQueue',
    writes: false,
    prepare: queues,
    port: (store, id) => store.readQueue(id, 10_001),
    prisma: { raw: 1 },
    mongo: async ({ deliveries }, integrationId) => {
      const waiting = { stage: pending, integrationId };
      const [oldest] = await Promise.all([
        deliveries.find(waiting, withoutContent).sort(byArrival).limit(1).toArray(),
        deliveries.find(waiting, withoutContent).sort({ sequence: -1 }).limit(1).toArray(),
        deliveries.countDocuments(waiting, { limit: 10_001 }),
      ]);
      return oldest;
    },
  }),
];

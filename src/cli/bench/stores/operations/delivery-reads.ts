import { newId } from '../../../../ids.js';
import { headFields, pending, withoutContent } from '../../../../store/mongo/delivery-documents.js';
import { defineOperation, type Operation } from '../operation.js';
import type { Scene } from '../scene.js';

const claim = 'run/1';
const byArrival = { sequence: 1 } as const;
const longAgo = new Date(0);
const idOnly = { projection: { _id: 1 } } as const;
/** How many integrations the calls about several ask for. */
const several = 16;

/** A few queues of `each` deliveries that nobody touches. */
const queues = (scene: Scene, count: number) => scene.addQueues(Math.min(count, scene.lot), scene.lot, claim);

/** Lists of so many integrations. */
function groups(scene: Scene) {
  const ids = scene.people.flatMap(({ integrations }) => integrations.map(({ id }) => id));
  return Array.from({ length: Math.floor(ids.length / several) }, (_, place) =>
    ids.slice(place * several, (place + 1) * several),
  );
}

/** What the intake and the consumer ask for. */
export const deliveryReadOperations: readonly Operation[] = [
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
    name: 'readConsumerGate',
    writes: false,
    prepare: async (scene, count) => {
      const ids = groups(scene).flat().slice(0, count);
      for (const id of ids) await scene.store.becomeConsumer(id, claim, new Date());
      return ids;
    },
    port: async (store, id) => {
      const { row, isConsumer } = await store.readConsumerGate(id, claim);
      return isConsumer ? row : null;
    },
    prisma: { raw: 1 },
    mongo: async ({ integrations, consumers }, _id) => {
      const projection = { _id: 1, type: 1, status: 1, statusSince: 1, 'causes.credentialId': 1 };
      const [row] = await Promise.all([
        integrations.findOne({ _id }, { projection }),
        consumers.findOne({ _id, claim }, idOnly),
      ]);
      return row;
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
        found.flatMap(({ entityIds: own }): readonly unknown[] => (Array.isArray(own) ? own : [])),
      );
      await entities.find({ _id: { $in: [...entityIds].map(String) } }, { projection: { provider: 1 } }).toArray();
      return found;
    },
  }),
  defineOperation({
    name: 'hasPendingDeliveries',
    writes: false,
    prepare: queues,
    port: (store, id) => store.hasPendingDeliveries(id),
    prisma: { raw: 1 },
    mongo: ({ deliveries }, integrationId) => deliveries.findOne({ stage: pending, integrationId }, idOnly),
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
    name: `findLookedAfter (${several})`,
    writes: false,
    prepare: async (scene, count) => {
      const ids = await scene.addQueues(Math.min(count, several * several), 0, claim);
      return ids.map((_, place) =>
        Array.from({ length: several }, (__, more) => ids[(place + more) % ids.length] ?? newId('integration')),
      );
    },
    port: (store, ids) => store.findLookedAfter(ids, longAgo),
    prisma: { raw: 1 },
    mongo: ({ consumers }, ids) =>
      consumers.find({ _id: { $in: [...ids] }, isLooking: true, since: { $gt: longAgo } }, idOnly).toArray(),
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

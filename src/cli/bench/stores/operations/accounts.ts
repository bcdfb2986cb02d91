import { RelinkError } from '../../../../errors.js';
import type { ProviderId } from '../../../../domain/ids.js';
import type { EntityWrite } from '../../../../store/port/store.js';
import { defineOperation, type Operation } from '../operation.js';
import { type EntityRow, provider } from '../records.js';
import { each } from '../scene.js';
import { pinReferences } from './pin-references.js';

const due = new Date(Date.now() + 3_600_000);
/** None of a person's integrations has one of these. */
const types = Array.from({ length: each }, (_, place) => `deaf-${place}`);
const write = (row: EntityRow): EntityWrite => ({
  ...row,
  ...{ provider: provider as ProviderId, name: 'Acme & Co', grantSequence: 2 },
});

/** Entities and what is on them, subscriptions, and the record of tokens that were handed out. */
export const accountOperations: readonly Operation[] = [
  defineOperation({
    name: 'getEntity',
    writes: false,
    prepare: scene => scene.people.flatMap(({ entities }) => entities),
    port: (store, { id }) => store.getEntity(id),
    prisma: (client, { id }) => client.entity.findUnique({ where: { id } }),
    mongo: ({ entities }, { id }) => entities.findOne({ _id: id }),
  }),
  defineOperation({
    name: 'getEntityForUser',
    writes: false,
    prepare: scene => scene.people.flatMap(({ entities }) => entities),
    port: (store, { id, userId }) => store.getEntityForUser(id, userId),
    prisma: (client, { id, userId }) => client.entity.findUnique({ where: { id, userId } }),
    mongo: ({ entities }, { id, userId }) => entities.findOne({ _id: id, userId }),
  }),
  defineOperation({
    name: 'listEntities',
    writes: false,
    prepare: scene => scene.people,
    port: (store, { userId }) => store.listEntities(userId, { limit: 100, after: null }),
    prisma: (client, { userId }) => client.entity.findMany({ where: { userId }, orderBy: { id: 'asc' }, take: 101 }),
    mongo: ({ entities }, { userId }) => entities.find({ userId }).sort({ _id: 1 }).limit(101).toArray(),
  }),
  defineOperation({
    name: 'upsertEntity (a new one)',
    writes: true,
    prepare: (scene, count) => scene.newEntities(count),
    port: (store, row) => store.upsertEntity(write(row), new Date()),
    prisma: { raw: 1 },
    mongo: async ({ entities, credentials }, row) => {
      const { id: _id, userId, externalId, credentialId, grantSequence, name, provider: of } = write(row);
      const [key, at] = [{ userId, provider: of, externalId }, new Date()];
      if ((await entities.findOne(key)) !== null) throw new RelinkError('internal', 'the entity is there');
      const { pin, unpin } = pinReferences(credentials, [credentialId]);
      await pin();
      await entities.insertOne({ _id, ...key, name, credentialId, grantSequence, createdAt: at, updatedAt: at });
      return unpin();
    },
  }),
  defineOperation({
    name: 'upsertEntity (pointed elsewhere)',
    writes: true,
    prepare: (scene, count) => scene.addEntities(count),
    port: (store, row) => store.upsertEntity(write(row), new Date()),
    prisma: { raw: 1 },
    mongo: async ({ entities }, row) => {
      const { userId, externalId, credentialId, grantSequence, name, provider: of } = write(row);
      const key = { userId, provider: of, externalId };
      await entities.findOne(key);
      return entities.findOneAndUpdate(
        { ...key, credentialId, grantSequence: { $lt: grantSequence } },
        { $set: { name, credentialId, grantSequence, updatedAt: new Date() } },
        { returnDocument: 'before' },
      );
    },
  }),
  defineOperation({
    name: 'getSubscription',
    writes: false,
    prepare: scene => scene.people.flatMap(({ integrations }) => integrations),
    port: (store, { id }) => store.getSubscription(id),
    prisma: (client, { id }) => client.subscription.findUnique({ where: { integrationId: id } }),
    mongo: ({ subscriptions }, { id }) => subscriptions.findOne({ _id: id }),
  }),
  defineOperation({
    name: 'compareAndSetSubscription',
    writes: true,
    prepare: async (scene, count) => {
      const rows = await scene.addIntegrations(count);
      await scene.addSubscriptions(rows);
      return rows;
    },
    port: (store, { id }, seal) =>
      store.compareAndSetSubscription(id, 1, {
        ...{ sealedSecrets: seal.secrets(id), expiresAt: due, dueAt: due, failure: null },
      }),
    prisma: (client, { id }, seal) =>
      client.subscription.updateManyAndReturn({
        where: { integrationId: id, version: 1 },
        data: {
          ...{ sealedSecrets: seal.secrets(id), expiresAt: due, dueAt: due, version: 2 },
          ...{ failureDetail: null, failureSince: null, failureTries: 0 },
        },
      }),
    mongo: ({ subscriptions }, { id }, seal) =>
      subscriptions.findOneAndUpdate(
        { _id: id, version: 1 },
        { $set: { sealedSecrets: seal.secrets(id), expiresAt: due, dueAt: due, failure: null, version: 2 } },
        { returnDocument: 'after' },
      ),
  }),
  defineOperation({
    name: 'insertTokenRead',
    writes: true,
    prepare: (scene, count) => scene.newTokenReads(count),
    port: (store, read) => store.insertTokenRead(read),
    prisma: async (client, read) => {
      await client.tokenRead.create({ data: { ...read } });
    },
    mongo: async ({ tokenReads }, { id: _id, ...read }) => {
      await tokenReads.insertOne({ _id, ...read });
    },
  }),
  defineOperation({
    name: 'findIntegrationsOnAccounts',
    writes: false,
    prepare: scene => scene.people.flatMap(({ entities }) => entities.slice(0, 1)),
    port: (store, entity) =>
      store.findIntegrationsOnAccounts([{ ...entity, provider: provider as ProviderId }], types, 1_001),
    prisma: { raw: 1 },
    mongo: async ({ integrations, entities }, entity) => {
      const account = { provider, externalId: { $in: [entity.externalId] } };
      const found = await entities.find(account, { projection: { provider: 1, externalId: 1 } }).toArray();
      const filter = { entityIds: { $in: found.map(({ _id }) => _id) }, type: { $nin: [...types] } };
      const ids = await integrations
        .find(filter, { projection: { _id: 1 } })
        .sort({ _id: 1 })
        .limit(1_001)
        .toArray();
      return ids.slice(0, 1);
    },
  }),
];

import { z } from 'zod';
import { type IntegrationState, statusOf } from '../../../../domain/integration-state.js';
import type { IntegrationType } from '../../../../domain/ids.js';
import { entityKeyOf } from '../../../../store/mongo/entity-key.js';
import { entityKeySeparator } from '../../../../store/stored-shapes.js';
import { defineOperation, type Operation } from '../operation.js';
import type { IntegrationRow } from '../records.js';
import { causeOf, type Person, ready, type Scene } from '../scene.js';
import { pinReferences } from './pin-references.js';

const idRows = z.array(z.object({ id: z.string() }));
const all = { limit: 100, after: null };
const config = { channel: 'sales', fields: ['name', 'amount'] };

/** The first account of everybody: all of a person's integrations are on it, and a quarter is held by its credential. */
const firsts = ({ people }: Scene) =>
  people.flatMap(({ entities, credentials }) => {
    const [entity, credential] = [entities[0], credentials[0]];
    return entity === undefined || credential === undefined ? [] : [{ entity, credential }];
  });

const integrationsOf = ({ people }: Scene) => people.flatMap(({ integrations }) => integrations);

/** An integration that is about to be held. */
async function heldOf(scene: Scene, count: number) {
  const rows = await scene.addIntegrations(count);
  return rows.map(({ id }, place) => {
    const { credentials } = scene.person(place);
    const state: IntegrationState = { ...ready, causes: credentials.slice(0, 1).map(causeOf), epochs: { [id]: 2 } };
    return { id, state };
  });
}

const fieldsOf = (state: IntegrationState) => ({
  ...{ lifecycle: state.lifecycle, intent: state.intent, epochs: { ...state.epochs }, status: statusOf(state) },
  causes: state.causes.map(cause => ({ ...cause })),
});

/** By ids in the link table, as a list of many to many is read. */
const byIds = (ids: readonly string[]) => ({ where: { id: { in: [...ids] } }, orderBy: { id: 'asc' as const } });

const newOne = (row: IntegrationRow) => ({
  ...{ id: row.id, userId: row.userId, type: row.type as IntegrationType },
  ...{ entityIds: row.entityIds, config, state: row.state },
});

/** Integrations: reading them, the query of the restore, the write of a status. */
export const integrationOperations: readonly Operation[] = [
  defineOperation({
    name: 'insertIntegration',
    writes: true,
    prepare: (scene, count) => scene.newIntegrations(count),
    port: (store, row) => store.insertIntegration(newOne(row), new Date()),
    prisma: {
      raw: 1,
      next: (client, { userId, type, entityIds }) => {
        const entityKey = entityIds.join(entityKeySeparator);
        return client.integration.findUnique({ where: { userId_type_entityKey: { userId, type, entityKey } } });
      },
    },
    mongo: async (collections, row) => {
      const { id: _id, userId, type, entityIds, state } = newOne(row);
      const at = new Date();
      const { pin, unpin } = pinReferences(collections.entities, entityIds);
      await pin();
      const inserted = await collections.integrations.insertOne({
        ...{ _id, userId, type, entityKey: entityKeyOf(entityIds), entityIds, config: JSON.stringify(config) },
        ...{ ...fieldsOf(state), statusSince: at, resumeSince: null, resuming: false },
        ...{ version: 1, createdAt: at, updatedAt: at },
      });
      await unpin();
      return inserted;
    },
  }),
  defineOperation({
    name: 'getIntegration',
    writes: false,
    prepare: integrationsOf,
    port: (store, { id }) => store.getIntegration(id),
    prisma: (client, { id }) => client.integration.findUnique({ where: { id } }),
    mongo: ({ integrations }, { id }) => integrations.findOne({ _id: id }),
  }),
  defineOperation({
    name: 'getIntegrationForUser',
    writes: false,
    prepare: integrationsOf,
    port: (store, { id, userId }) => store.getIntegrationForUser(id, userId),
    prisma: (client, { id, userId }) => client.integration.findUnique({ where: { id, userId } }),
    mongo: ({ integrations }, { id, userId }) => integrations.findOne({ _id: id, userId }),
  }),
  defineOperation<Person>({
    name: 'listIntegrations',
    writes: false,
    prepare: scene => scene.people,
    port: (store, { userId }) => store.listIntegrations(userId, {}, all),
    prisma: (client, { userId }) =>
      client.integration.findMany({ where: { userId }, orderBy: { id: 'asc' }, take: 101 }),
    mongo: ({ integrations }, { userId }) => integrations.find({ userId }).sort({ _id: 1 }).limit(101).toArray(),
  }),
  defineOperation({
    name: 'findIntegrationsByEntityId',
    writes: false,
    prepare: firsts,
    port: (store, { entity }) => store.findIntegrationsByEntityId(entity.id, all),
    prisma: async (client, { entity }) => {
      const found = await client.integrationEntity.findMany({
        where: { entityId: entity.id },
        orderBy: { integrationId: 'asc' },
        take: 101,
      });
      return client.integration.findMany(byIds(found.map(link => link.integrationId)));
    },
    mongo: ({ integrations }, { entity }) =>
      integrations.find({ entityIds: entity.id }).sort({ _id: 1 }).limit(101).toArray(),
  }),
  defineOperation({
    name: 'findIntegrationsByCredentialId',
    writes: false,
    prepare: firsts,
    port: (store, { credential }) => store.findIntegrationsByCredentialId(credential.id, all),
    prisma: async (client, { credential }) => {
      const found = await client.integrationEntity.groupBy({
        by: ['integrationId'],
        where: { entity: { credentialId: credential.id } },
        orderBy: { integrationId: 'asc' },
        take: 101,
      });
      return client.integration.findMany(byIds(found.map(link => link.integrationId)));
    },
    mongo: async ({ integrations, entities }, { credential }) => {
      const found = await entities.find({ credentialId: credential.id }, { projection: { _id: 1 } }).toArray();
      const filter = { entityIds: { $in: found.map(({ _id }) => _id) } };
      return integrations.find(filter).sort({ _id: 1 }).limit(101).toArray();
    },
  }),
  defineOperation({
    name: 'findIntegrationsByCauseCredentialId',
    writes: false,
    prepare: firsts,
    port: (store, { credential }) => store.findIntegrationsByCauseCredentialId(credential.id, all),
    prisma: {
      raw: 1,
      next: (client, _, found) => client.integration.findMany(byIds(idRows.parse(found).map(({ id }) => id))),
    },
    mongo: ({ integrations }, { credential }) =>
      integrations.find({ 'causes.credentialId': credential.id }).sort({ _id: 1 }).limit(101).toArray(),
  }),
  defineOperation({
    name: 'getCurrentCredentialIds',
    writes: false,
    prepare: integrationsOf,
    port: (store, { id }) => store.getCurrentCredentialIds(id),
    prisma: (client, { id }) =>
      client.entity.findMany({
        where: { integrations: { some: { integrationId: id } } },
        select: { credentialId: true },
      }),
    mongo: async ({ integrations, entities }, { id, entityIds }) => {
      await integrations.findOne({ _id: id });
      return entities.find({ _id: { $in: [...entityIds] } }, { projection: { credentialId: 1 } }).toArray();
    },
  }),
  defineOperation({
    name: 'compareAndSetIntegration',
    writes: true,
    prepare: heldOf,
    port: (store, { id, state }) => store.compareAndSetIntegration(id, 1, { state }, new Date()),
    prisma: (client, { id, state }) => {
      const [fields, at] = [fieldsOf(state), new Date()];
      return client.integration.updateManyAndReturn({
        where: { id, version: 1, status: { not: fields.status } },
        data: { ...fields, version: { increment: 1 }, updatedAt: at, statusSince: at },
      });
    },
    mongo: ({ integrations }, { id, state }) => {
      const [fields, at] = [fieldsOf(state), new Date()];
      return integrations.findOneAndUpdate(
        { _id: id, version: 1, status: { $ne: fields.status } },
        { $set: { ...fields, updatedAt: at, statusSince: at }, $inc: { version: 1 } },
        { returnDocument: 'after' },
      );
    },
  }),
];

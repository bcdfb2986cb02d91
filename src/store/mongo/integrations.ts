import type { Document } from 'mongodb';
import { statusOf } from '../../domain/integration-state.js';
import { RelinkError } from '../../errors.js';
import type { Integration, IntegrationChange, IntegrationStore } from '../port/integration-store.js';
import { toConfig } from '../stored-shapes.js';
import type { Collections } from './connect.js';
import { entityKeyOf } from './entity-key.js';
import { createIntegrationLists } from './integration-lists.js';
import { firstOf, toCredentialId, toIntegration } from './map-documents.js';
import { isDuplicateKey } from './map-mongo-error.js';

/** The fields of a state: status is computed here and nowhere else, so it travels with what it follows from. */
function stateFields({ state }: Pick<IntegrationChange, 'state'>) {
  return {
    lifecycle: state.lifecycle,
    intent: state.intent,
    causes: state.causes.map(cause => ({ ...cause })),
    epochs: { ...state.epochs },
    status: statusOf(state),
  };
}

/** As text: a key of a config may hold dots and dollar signs, which the products treat each in its own way. */
const configText = (config: Readonly<Record<string, unknown>>) => JSON.stringify(toConfig(config));

/** Integrations in MongoDB: one document with its entities' ids, its state and its status. */
export function createIntegrationStore(collections: Collections): IntegrationStore {
  const { integrations, entities } = collections;
  const find = async (filter: Document) => firstOf(await integrations.findOne(filter), toIntegration);

  async function requireEntities(id: string, entityIds: readonly string[]): Promise<void> {
    const usable = { _id: { $in: [...entityIds] }, removing: { $ne: true } };
    const found = await entities.find(usable, { projection: { _id: 1 } }).toArray();
    if (found.length < entityIds.length) throw new RelinkError('entity_not_usable', id);
  }

  /** Looks once more after the write, and takes it back where an entity went meanwhile: see credential-deletions.ts. */
  async function keepWithEntities(integration: Integration): Promise<Integration> {
    const { id, entityIds, version } = integration;
    await requireEntities(id, entityIds).catch(async (error: unknown) => {
      if (error instanceof RelinkError) await integrations.deleteOne({ _id: id, version });
      throw error;
    });
    return integration;
  }

  return {
    ...createIntegrationLists(collections),

    async insertIntegration(integration, now) {
      const entityIds = [...new Set(integration.entityIds)].sort();
      if (entityIds.length === 0) throw new RelinkError('entity_not_usable', 'an integration needs an entity');
      await requireEntities(integration.id, entityIds);
      const key = { userId: integration.userId, type: integration.type, entityKey: entityKeyOf(entityIds) };
      const document = {
        _id: integration.id,
        ...key,
        entityIds,
        config: configText(integration.config),
        ...stateFields(integration),
        ...{ statusSince: now, resumeSince: null, resuming: false },
        ...{ version: 1, createdAt: now, updatedAt: now },
      };
      // A second round only when the document that won was deleted before it could be read.
      for (let round = 0; round < 3; round += 1) {
        try {
          await integrations.insertOne(document);
          return { integration: await keepWithEntities(toIntegration(document)), created: true };
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
        const existing = await find(key);
        if (existing !== null) return { integration: existing, created: false };
      }
      throw new RelinkError('write_conflict', integration.id);
    },

    getIntegration: id => find({ _id: id }),
    getIntegrationForUser: (id, userId) => find({ _id: id, userId }),

    async getCurrentCredentialIds(id) {
      const integration = await find({ _id: id });
      if (integration === null) return new Set();
      const found = await entities
        .find({ _id: { $in: [...integration.entityIds] } }, { projection: { credentialId: 1 } })
        .toArray();
      return new Set(found.map(document => toCredentialId(document['credentialId'])));
    },

    async compareAndSetIntegration(id, version, change, now) {
      const { resumeSince, config } = change;
      const fields = {
        ...stateFields(change),
        ...(config === undefined ? {} : { config: configText(config) }),
        ...(resumeSince === undefined ? {} : { resumeSince, resuming: resumeSince !== null }),
        updatedAt: now,
      };
      const write = async (status: Document | string, set: Document) =>
        firstOf(
          await integrations.findOneAndUpdate(
            { _id: id, version, status },
            { $set: set, $inc: { version: 1 } },
            { returnDocument: 'after' },
          ),
          toIntegration,
        );
      // Two conditions that exclude each other at one version: at most one of the writes happens.
      return (await write({ $ne: fields.status }, { ...fields, statusSince: now })) ?? write(fields.status, fields);
    },

    async deleteIntegration(id) {
      const { deletedCount } = await integrations.deleteOne({ _id: id, status: 'IN_DELETION' });
      return deletedCount > 0;
    },
  };
}

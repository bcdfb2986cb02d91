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
import { writeReference } from './write-reference.js';

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

  /** Null when there is one by now. */
  async function insert(document: Document & { _id: string }): Promise<Integration | null> {
    try {
      await integrations.insertOne(document);
      return toIntegration(document);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return null;
    }
  }

  return {
    ...createIntegrationLists(collections),

    async insertIntegration(integration, now) {
      const entityIds = [...new Set(integration.entityIds)].sort();
      if (entityIds.length === 0) throw new RelinkError('entity_not_usable', 'an integration needs an entity');
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
      return writeReference({
        ...{ to: entities, ids: entityIds },
        write: async () => {
          // A second round only when the document that won was deleted before it could be read.
          for (let round = 0; round < 3; round += 1) {
            const made = await insert(document);
            if (made !== null) return { integration: made, created: true };
            const existing = await find(key);
            if (existing !== null) return { integration: existing, created: false };
          }
          throw new RelinkError('write_conflict', integration.id);
        },
        takeBack: async ({ created }) => created && integrations.deleteOne({ _id: integration.id, version: 1 }),
        refuse: () => new RelinkError('entity_not_usable', integration.id),
      });
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

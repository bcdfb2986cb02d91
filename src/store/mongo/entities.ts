import type { Document } from 'mongodb';
import type { CredentialId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { EntityStore } from '../port/entity-store.js';
import { toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { firstOf, toEntity } from './map-documents.js';
import { isDuplicateKey } from './map-mongo-error.js';
import { afterCursor } from './read-page.js';

/** Entities in MongoDB. */
export function createEntityStore({ entities, credentials }: Collections): EntityStore {
  const isThere = async (credentialId: CredentialId) =>
    (await credentials.findOne({ _id: credentialId, removing: { $ne: true } }, { projection: { _id: 1 } })) !== null;
  /** One that is being removed may stay after all. */
  const refuse = async (credentialId: CredentialId) => {
    const known = await credentials.findOne({ _id: credentialId }, { projection: { _id: 1 } });
    return new RelinkError(known === null ? 'not_found' : 'write_conflict', credentialId);
  };
  const find = async (filter: Document) => firstOf(await entities.findOne(filter), toEntity);
  return {
    getEntity: id => find({ _id: id }),
    getEntityForUser: (id, userId) => find({ _id: id, userId }),

    async listEntities(userId, page) {
      const found = await entities
        .find({ userId, ...afterCursor(page) })
        .sort({ _id: 1 })
        .limit(page.limit + 1)
        .toArray();
      return toPage(found.map(toEntity), page, entity => entity.id);
    },

    /**
     * Repoint, else insert, else look. Not one upsert: its filter holds the grant's number, so a row with a later grant
     * would not be found and the insert would meet the unique key, which is what the three steps say in the open.
     *
     * After either write the credential is looked for: see credential-deletions.ts.
     */
    async upsertEntity({ id, userId, provider, externalId, name, credentialId, grantSequence }, now) {
      const key = { userId, provider, externalId };
      // A further round only when the row changed or went between the steps.
      for (let round = 0; round < 5; round += 1) {
        const repointed = await entities.findOneAndUpdate(
          { ...key, grantSequence: { $lt: grantSequence } },
          { $set: { name, credentialId, grantSequence, updatedAt: now, removing: false } },
          { returnDocument: 'before' },
        );
        if (repointed !== null) {
          const before = toEntity(repointed);
          if (await isThere(credentialId)) return { ...before, name, credentialId, grantSequence, updatedAt: now };
          const { name: oldName, credentialId: old, grantSequence: oldSequence, updatedAt } = before;
          await entities.updateOne(
            { _id: before.id, credentialId, grantSequence },
            { $set: { name: oldName, credentialId: old, grantSequence: oldSequence, updatedAt } },
          );
          throw await refuse(credentialId);
        }
        const known = await find(key);
        if (known !== null && known.grantSequence >= grantSequence) return known;
        if (known !== null) continue;
        const document = { _id: id, ...key, name, credentialId, grantSequence, createdAt: now, updatedAt: now };
        try {
          await entities.insertOne(document);
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
          continue;
        }
        if (await isThere(credentialId)) return toEntity(document);
        await entities.deleteOne({ _id: id, credentialId, grantSequence });
        throw await refuse(credentialId);
      }
      throw new RelinkError('write_conflict', id);
    },
  };
}

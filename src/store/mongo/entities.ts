import type { Document } from 'mongodb';
import { RelinkError } from '../../errors.js';
import type { Entity, EntityStore, EntityWrite } from '../port/entity-store.js';
import { toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { idOnly } from './id-only.js';
import { firstOf, toEntity } from './map-documents.js';
import { isDuplicateKey } from './map-mongo-error.js';
import { afterCursor } from './read-page.js';
import { refuseNul, toName } from '../stored-shapes.js';
import { removeUnreferenced, writeReference } from './write-reference.js';

interface Written {
  readonly entity: Entity;
  /** As it was; null of a new one. */
  readonly before: Entity | null;
}

/** Entities in MongoDB. */
export function createEntityStore({ entities, credentials, integrations }: Collections): EntityStore {
  const find = async (filter: Document) => firstOf(await entities.findOne(filter), toEntity);

  /** Null when there is one by now. */
  async function insert({ id, ...write }: EntityWrite, now: Date): Promise<Written | null> {
    const { userId, provider, externalId, name, credentialId, grantSequence } = write;
    const entity = { userId, provider, externalId, name, credentialId, grantSequence, createdAt: now, updatedAt: now };
    try {
      await entities.insertOne({ _id: id, ...entity });
      return { entity: { id, ...entity }, before: null };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return null;
    }
  }

  /** Null when it has a later grant by now, or is gone. */
  async function repoint(write: EntityWrite, now: Date, only: Document = {}): Promise<Written | null> {
    const { userId, provider, externalId, name, credentialId, grantSequence } = write;
    const found = await entities.findOneAndUpdate(
      { userId, provider, externalId, grantSequence: { $lt: grantSequence }, ...only },
      { $set: { name, credentialId, grantSequence, updatedAt: now } },
      { returnDocument: 'before' },
    );
    const before = firstOf(found, toEntity);
    return before && { entity: { ...before, name, credentialId, grantSequence, updatedAt: now }, before };
  }

  const takeBack =
    ({ credentialId, grantSequence }: EntityWrite) =>
    async (written: Written | null) => {
      if (written === null) return;
      const { entity, before } = written;
      const own = { _id: entity.id, credentialId, grantSequence };
      if (before === null) {
        const isUsed = async () => (await integrations.findOne({ entityIds: entity.id }, idOnly)) !== null;
        await removeUnreferenced(entities, own, isUsed);
        return;
      }
      const { name, credentialId: old, grantSequence: oldSequence, updatedAt } = before;
      await entities.updateOne(own, { $set: { name, credentialId: old, grantSequence: oldSequence, updatedAt } });
    };

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
     * Read, then repoint or insert. Not one upsert: its filter holds the grant's number, so a row with a later grant
     * would not be found and the insert would meet the unique key.
     *
     * A write that points the entity to another credential than before is a new reference: see write-reference.ts.
     */
    async upsertEntity(given, now) {
      const write = { ...given, name: toName(given.name) };
      refuseNul(write.externalId);
      const { userId, provider, externalId, credentialId, grantSequence } = write;
      // A further round only when the row changed or went between the steps.
      for (let round = 0; round < 5; round += 1) {
        const known = await find({ userId, provider, externalId });
        if (known !== null && known.grantSequence >= grantSequence) return known;
        const written =
          known?.credentialId === credentialId
            ? await repoint(write, now, { credentialId })
            : await writeReference({
                ...{ to: credentials, ids: [credentialId] },
                write: () => (known === null ? insert(write, now) : repoint(write, now)),
                takeBack: takeBack(write),
                refuse: () => new RelinkError('not_found', credentialId),
              });
        if (written !== null) return written.entity;
      }
      throw new RelinkError('write_conflict', write.id);
    },
  };
}

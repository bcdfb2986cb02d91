import type { Document } from 'mongodb';
import type { CauseCode } from '../../domain/cause.js';
import type { CredentialDeletionStore } from '../port/credential-deletion-store.js';
import type { Collections, Documents } from './connect.js';
import { firstOf, toCredential } from './map-documents.js';

const deleted: CauseCode = 'credential_deleted';

/**
 * The end of credentials in MongoDB, which has no foreign keys.
 *
 * What nobody refers to is removed in three steps: it is marked, references are looked for, and it goes, or the mark does.
 * Whoever writes a reference looks afterwards whether what it refers to is there and not marked, and takes its write back
 * otherwise (entities.ts, integrations.ts). One of the two always sees the other: a reference written before the look is
 * found by it, and one written after it finds the mark or nothing. Marks of one that died in between go with the
 * repetition of its step, with a new grant of the credential, or with a repointed entity.
 */
export function createCredentialDeletions({
  credentials,
  entities,
  integrations,
}: Collections): CredentialDeletionStore {
  /** Whether it is gone: by this call, on the condition that held from the mark on. */
  async function removeUnreferenced(
    from: Documents,
    condition: Document & { _id: string },
    isReferenced: () => Promise<boolean>,
  ): Promise<boolean> {
    const { matchedCount } = await from.updateOne(condition, { $set: { removing: true } });
    if (matchedCount === 0) return false;
    if (await isReferenced()) {
      await from.updateOne(condition, { $set: { removing: false } });
      return false;
    }
    return (await from.deleteOne({ ...condition, removing: true })).deletedCount > 0;
  }

  const idOnly = { projection: { _id: 1 } };

  return {
    async markCredentialDeleted(id, epoch, now) {
      const marked = await credentials.findOneAndUpdate(
        { _id: id, epoch, 'verdict.code': { $ne: deleted } },
        {
          $set: {
            ...{ authIsValid: false, verdict: { code: deleted, httpStatus: null, since: now } },
            ...{ refreshDueAt: null, grantWarnAt: null, updatedAt: now },
          },
          $inc: { epoch: 1 },
        },
        { returnDocument: 'after' },
      );
      return firstOf(marked, toCredential);
    },

    async wipeCredential(id, epoch) {
      const { matchedCount } = await credentials.updateOne(
        { _id: id, epoch, 'verdict.code': deleted },
        { $set: { sealedTokens: '', refreshable: false, expiresAt: null } },
      );
      return matchedCount > 0;
    },

    deleteCredential: (id, epoch) =>
      removeUnreferenced(credentials, { _id: id, epoch, 'verdict.code': deleted }, async () => {
        return (await entities.findOne({ credentialId: id }, idOnly)) !== null;
      }),

    async listUnfinishedDeletions(before, limit) {
      const found = await credentials
        .find({ 'verdict.code': deleted, updatedAt: { $lt: before }, sealedTokens: { $ne: '' } })
        .sort({ updatedAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(toCredential);
    },

    async keepTokensOfDeleted(id, generation, sealedTokens) {
      const { matchedCount } = await credentials.updateOne(
        { _id: id, generation, 'verdict.code': deleted, sealedTokens: { $ne: '' } },
        { $set: { sealedTokens } },
      );
      return matchedCount > 0;
    },

    async touchDeletion(id, epoch, now) {
      await credentials.updateOne({ _id: id, epoch, 'verdict.code': deleted }, { $set: { updatedAt: now } });
    },

    async deleteUnusedEntities(credentialId, grantSequence) {
      const own = { credentialId, grantSequence: { $lte: grantSequence } };
      const found = await entities.find(own, idOnly).toArray();
      let removed = 0;
      for (const { _id } of found) {
        const isUsed = async () => (await integrations.findOne({ entityIds: _id }, idOnly)) !== null;
        if (await removeUnreferenced(entities, { _id, ...own }, isUsed)) removed += 1;
      }
      return removed;
    },
  };
}

import { credentialDeleted } from '../../domain/credential-standing.js';
import type { CredentialDeletionStore } from '../port/credential-deletion-store.js';
import type { Collections } from './connect.js';
import { idOnly } from './id-only.js';
import { firstOf, toCredential } from './map-documents.js';
import { removeUnreferenced } from './write-reference.js';

/** The end of credentials in MongoDB, which has no foreign keys: write-reference.ts says how it does without. */
export function createCredentialDeletions(collections: Collections): CredentialDeletionStore {
  const { credentials, entities, integrations } = collections;

  return {
    async markCredentialDeleted(id, epoch, now) {
      const marked = await credentials.findOneAndUpdate(
        { _id: id, epoch, 'verdict.code': { $ne: credentialDeleted } },
        {
          $set: {
            ...{ authIsValid: false, verdict: { code: credentialDeleted, httpStatus: null, since: now } },
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
        { _id: id, epoch, 'verdict.code': credentialDeleted },
        { $set: { sealedTokens: '', refreshable: false, expiresAt: null } },
      );
      return matchedCount > 0;
    },

    deleteCredential: (id, epoch) =>
      removeUnreferenced(credentials, { _id: id, epoch, 'verdict.code': credentialDeleted }, async () => {
        return (await entities.findOne({ credentialId: id }, idOnly)) !== null;
      }),

    async listUnfinishedDeletions(before, limit) {
      const found = await credentials
        .find({ 'verdict.code': credentialDeleted, updatedAt: { $lt: before }, sealedTokens: { $ne: '' } })
        .sort({ updatedAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(toCredential);
    },

    async keepTokensOfDeleted(id, generation, sealedTokens) {
      const { matchedCount } = await credentials.updateOne(
        { _id: id, generation, 'verdict.code': credentialDeleted, sealedTokens: { $ne: '' } },
        { $set: { sealedTokens } },
      );
      return matchedCount > 0;
    },

    async touchDeletion(id, epoch, now) {
      await credentials.updateOne({ _id: id, epoch, 'verdict.code': credentialDeleted }, { $set: { updatedAt: now } });
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

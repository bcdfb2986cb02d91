import type { TokenReadStore } from '../port/token-read-store.js';
import { toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { idOnly } from './id-only.js';
import { toTokenRead } from './map-documents.js';
import { afterCursor } from './read-page.js';

/** The record of handed out tokens in MongoDB. */
export function createTokenReadStore({ tokenReads }: Collections): TokenReadStore {
  return {
    async insertTokenRead({ id, credentialId, userId, apiKey, generation, requestId, readAt }) {
      await tokenReads.insertOne({ _id: id, credentialId, userId, apiKey, generation, requestId, readAt });
    },

    async listTokenReads(credentialId, page) {
      const found = await tokenReads
        .find({ credentialId, ...afterCursor(page) })
        .sort({ _id: 1 })
        .limit(page.limit + 1)
        .toArray();
      return toPage(found.map(toTokenRead), page, read => read.id);
    },

    async deleteTokenReads(before, limit) {
      const over = { readAt: { $lt: before } };
      const found = await tokenReads.find(over, idOnly).limit(limit).toArray();
      if (found.length === 0) return 0;
      return (await tokenReads.deleteMany({ ...over, _id: { $in: found.map(({ _id }) => _id) } })).deletedCount;
    },
  };
}

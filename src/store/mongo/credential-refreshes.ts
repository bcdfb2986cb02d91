import type { Document } from 'mongodb';
import { clientRejected, refreshOutcomeUnknown } from '../../domain/credential-standing.js';
import type { CredentialStore, TokensWrite } from '../port/credential-store.js';
import type { Collections } from './connect.js';
import { firstOf, toCredential } from './map-documents.js';

type Refreshes = Pick<
  CredentialStore,
  | 'compareAndSetTokens'
  | 'markRefreshPosted'
  | 'clearRefreshPosted'
  | 'raiseRefreshTry'
  | 'postponeRefresh'
  | 'listDueRefreshes'
  | 'listEndingGrants'
  | 'noteGrantWarned'
>;

/** Of tokens just written: no request for the next ones was made. */
export const unposted = { refreshTry: 0, refreshPosts: 0, refreshPostedAt: null };
/** judgeStanding as a condition: not dead. */
export const mayRefresh = { $or: [{ authIsValid: true }, { 'verdict.code': clientRejected }] };
/** What a refresh brought is also the answer whose loss was the verdict. */
const mayStoreTokens = { $or: [...mayRefresh.$or, { 'verdict.code': refreshOutcomeUnknown }] };

export const tokenFields = ({ sealedTokens, refreshable, expiresAt, refreshDueAt }: TokensWrite) => ({
  ...{ sealedTokens, refreshable, expiresAt, refreshDueAt },
});

/** The condition of a count: an older document may lack it, or hold null, and is read as 0. */
const counted = (value: number) => (value === 0 ? { $in: [0, null] } : value);

/**
 * What a refresh writes: the generation and the number of its request are the conditions. The next number is set and not
 * counted up, since null cannot be: the condition says which it is.
 */
export function createRefreshes({ credentials }: Collections): Refreshes {
  async function write(filter: Document & { _id: string }, update: Document) {
    return firstOf(await credentials.findOneAndUpdate(filter, update, { returnDocument: 'after' }), toCredential);
  }
  async function set(filter: Document & { _id: string }, update: Document): Promise<boolean> {
    return (await credentials.updateOne(filter, update)).matchedCount === 1;
  }

  return {
    compareAndSetTokens: (id, generation, tokens, now) =>
      write(
        { _id: id, generation, ...mayStoreTokens },
        {
          $set: { ...tokenFields(tokens), authIsValid: true, verdict: null, ...unposted, updatedAt: now },
          $inc: { generation: 1, epoch: 1 },
        },
      ),

    markRefreshPosted: (id, generation, posts, now) =>
      write(
        { _id: id, generation, refreshPosts: counted(posts), ...mayRefresh },
        { $set: { refreshPostedAt: now, refreshPosts: posts + 1 } },
      ),

    clearRefreshPosted: (id, generation, posts) =>
      set(
        { _id: id, generation, refreshPosts: counted(posts), refreshPostedAt: { $ne: null } },
        { $set: { refreshPostedAt: null } },
      ),

    raiseRefreshTry: (id, generation, refreshTry, dueAt) =>
      set(
        { _id: id, generation, refreshTry: counted(refreshTry) },
        { $set: { refreshDueAt: dueAt, refreshTry: refreshTry + 1 } },
      ),

    postponeRefresh: (id, generation, dueAt) => set({ _id: id, generation }, { $set: { refreshDueAt: dueAt } }),

    async listDueRefreshes(provider, now, limit) {
      const found = await credentials
        .find({ provider, refreshDueAt: { $lte: now }, refreshable: true, ...mayRefresh })
        .sort({ refreshDueAt: 1 })
        .limit(limit)
        .toArray();
      return found.map(toCredential);
    },

    async listEndingGrants(now, limit) {
      const found = await credentials
        .find({ grantWarnAt: { $lte: now }, authIsValid: true })
        .sort({ grantWarnAt: 1 })
        .limit(limit)
        .toArray();
      return found.map(toCredential);
    },

    noteGrantWarned: (id, warnAt) => set({ _id: id, grantWarnAt: warnAt }, { $set: { grantWarnAt: null } }),
  };
}

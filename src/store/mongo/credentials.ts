import type { Document } from 'mongodb';
import { clientRejected, credentialDeleted } from '../../domain/credential-standing.js';
import type { Credential, CredentialStore, GrantWrite } from '../port/credential-store.js';
import { toPage } from '../pages.js';
import { refuseNul } from '../stored-shapes.js';
import type { Collections } from './connect.js';
import { createRefreshes, mayRefresh, tokenFields, unposted } from './credential-refreshes.js';
import { firstOf, toCredential } from './map-documents.js';
import { isDuplicateKey } from './map-mongo-error.js';
import { afterCursor } from './read-page.js';

/** The fields of a grant, by name: nothing else that an object carries may reach the document. */
const grantFields = ({ kind, grantSequence, grantEndsAt, grantWarnAt, ...tokens }: GrantWrite) => ({
  ...tokenFields(tokens),
  ...{ kind, grantSequence, grantEndsAt, grantWarnAt },
  // A new grant ends whatever was about to remove the credential: see write-reference.ts.
  removing: null,
});
const alive = { authIsValid: true, verdict: null };
/** Credentials in MongoDB: the counters are the conditions, checked and raised by the same findAndModify. */
export function createCredentialStore(collections: Collections): CredentialStore {
  const { credentials } = collections;
  const find = async (filter: Document) => firstOf(await credentials.findOne(filter), toCredential);

  async function write(filter: Document & { _id: string }, update: Document): Promise<Credential | null> {
    return firstOf(await credentials.findOneAndUpdate(filter, update, { returnDocument: 'after' }), toCredential);
  }

  return {
    ...createRefreshes(collections),

    getCredential: id => find({ _id: id }),
    getCredentialForUser: (id, userId) => find({ _id: id, userId }),

    async listCredentials(userId, page) {
      const found = await credentials
        .find({ userId, ...afterCursor(page) })
        .sort({ _id: 1 })
        .limit(page.limit + 1)
        .toArray();
      return toPage(found.map(toCredential), page, credential => credential.id);
    },

    async findAnyCredential() {
      const [newest] = await credentials
        .find({ sealedTokens: { $ne: '' } })
        .sort({ _id: -1 })
        .limit(1)
        .toArray();
      return firstOf(newest ?? null, toCredential);
    },

    findCredentialByExternalId: (userId, provider, externalId) => find({ userId, provider, externalId }),

    async insertCredential({ id, userId, provider, externalId }, grant, now) {
      refuseNul(externalId);
      const document = {
        _id: id,
        ...{ userId, provider, externalId },
        ...grantFields(grant),
        ...alive,
        ...unposted,
        ...{ generation: 1, epoch: 1, lastTest: null, createdAt: now, updatedAt: now },
      };
      try {
        await credentials.insertOne(document);
        return toCredential(document);
      } catch (error) {
        // Losing the race is an ordinary answer.
        if (isDuplicateKey(error)) return null;
        throw error;
      }
    },

    replaceGrant: (id, epoch, grant, now) =>
      write(
        { _id: id, epoch, grantSequence: { $lt: grant.grantSequence } },
        { $set: { ...grantFields(grant), ...alive, ...unposted, updatedAt: now }, $inc: { generation: 1, epoch: 1 } },
      ),

    markCredentialInvalid: (id, epoch, { code, httpStatus, since }, now) =>
      write(
        { _id: id, epoch, ...(code === clientRejected ? { authIsValid: true } : mayRefresh) },
        {
          $set: {
            ...{ authIsValid: false, verdict: { code, httpStatus, since }, updatedAt: now },
            ...(code === clientRejected ? {} : { refreshDueAt: null }),
          },
          $inc: { epoch: 1 },
        },
      ),

    markCredentialValid: (id, epoch, now) =>
      write(
        { _id: id, epoch, authIsValid: false, 'verdict.code': { $ne: credentialDeleted } },
        { $set: { ...alive, updatedAt: now }, $inc: { epoch: 1 } },
      ),

    async recordCredentialTest(id, { outcome, generation, at }) {
      await credentials.updateOne({ _id: id, generation }, { $set: { lastTest: { outcome, generation, at } } });
    },
  };
}

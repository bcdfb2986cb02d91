import type { Document } from 'mongodb';
import type { Session, SessionStore } from '../port/session-store.js';
import { refuseNul, toName } from '../stored-shapes.js';
import type { Collections, MongoConnection } from './connect.js';
import { drawNumbers } from './draw-numbers.js';
import { idOnly } from './id-only.js';
import { firstOf, toSession } from './map-documents.js';
import { oldestFirst } from './read-page.js';
import { readServerTime } from './read-server-time.js';

const after = { returnDocument: 'after' } as const;

/**
 * Authorization sessions in MongoDB. Each step is one findAndModify on one document, with its condition in the filter:
 * the server checks the filter again under the document's lock, so of two writers the second one finds it no longer true.
 */
export function createSessionStore({ db }: Pick<MongoConnection, 'db'>, collections: Collections): SessionStore {
  const { sessions } = collections;

  async function move(filter: Document & { _id: string }, set: Document): Promise<Session | null> {
    return firstOf(await sessions.findOneAndUpdate(filter, { $set: set }, after), toSession);
  }
  const find = async (filter: Document) => firstOf(await sessions.findOne(filter), toSession);

  return {
    async insertSession({ id, ...session }) {
      const createdAt = new Date();
      const document = {
        _id: id,
        ...session,
        state: 'pending',
        ...{ browserHash: null, sealedGrant: null, grantSequence: null, account: null },
        ...{ credentialId: null, entityId: null, errorCode: null },
        createdAt,
        updatedAt: createdAt,
      };
      await sessions.insertOne(document);
      return toSession(document);
    },

    getSession: id => find({ _id: id }),

    findSessionByStateHash: stateHash => find({ stateHash }),

    async bindBrowser(id, browserHash, now) {
      const open = { _id: id, state: 'pending', expiresAt: { $gt: now } };
      // Once bound it stays bound, so looking after the write cannot miss.
      return (
        (await move({ ...open, browserHash: null }, { browserHash, updatedAt: now })) ??
        (await find({ ...open, browserHash }))
      );
    },

    async claimSession(id, now) {
      const claimed = await sessions.findOneAndUpdate(
        { _id: id, state: 'pending', expiresAt: { $gt: now } },
        { $set: { state: 'exchanging' }, $currentDate: { updatedAt: true } },
        after,
      );
      return firstOf(claimed, toSession);
    },

    async sealGrant(id, sealedGrant, now) {
      // Drawn once the exchange succeeded and before the write that uses it: of two exchanges the one that drew later wins.
      const grantSequence = await drawNumbers(collections, 'grants', 1);
      return move({ _id: id, state: 'exchanging' }, { state: 'exchanged', sealedGrant, grantSequence, updatedAt: now });
    },

    async recordAccount(id, account, now) {
      const { externalId, credentialExternalId, name } = { ...account, name: toName(account.name) };
      refuseNul(externalId, credentialExternalId);
      const exchanged = { _id: id, state: 'exchanged' };
      const set = { account: { externalId, credentialExternalId, name }, updatedAt: now };
      // Once recorded it stays, so looking after the write cannot miss.
      return (
        (await move({ ...exchanged, account: null }, set)) ??
        (await find({
          ...exchanged,
          'account.externalId': externalId,
          'account.credentialExternalId': credentialExternalId,
        }))
      );
    },

    async connectSession(id, credentialId, entityId, now) {
      const set = { state: 'connected', credentialId, entityId, sealedGrant: null, updatedAt: now };
      return (
        (await move({ _id: id, state: 'exchanged' }, set)) ??
        (await find({ _id: id, state: { $in: ['connected', 'restored'] }, credentialId, entityId }))
      );
    },

    completeSession: (id, now) => move({ _id: id, state: 'connected' }, { state: 'restored', updatedAt: now }),

    endSession: (id, from, errorCode, now) =>
      move(
        { _id: id, state: from, ...(from === 'exchanged' ? { account: null } : {}) },
        { state: 'failed', errorCode, sealedGrant: null, updatedAt: now },
      ),

    endOrphanedSession: (id, errorCode, now) =>
      move({ _id: id, state: 'exchanged' }, { state: 'failed', errorCode, sealedGrant: null, updatedAt: now }),

    async endAbandonedSession(id, olderThanMs, errorCode) {
      // No clock stands in a filter that both products take: the server's time is asked for first. One that got old on
      // the way only spares the session for longer.
      const now = await readServerTime(db);
      const ended = await sessions.findOneAndUpdate(
        { _id: id, state: 'exchanging', updatedAt: { $lt: new Date(now.getTime() - olderThanMs) } },
        { $set: { state: 'failed', errorCode, sealedGrant: null }, $currentDate: { updatedAt: true } },
        after,
      );
      return firstOf(ended, toSession);
    },

    async listAbandonedSessions(olderThanMs, limit) {
      const now = await readServerTime(db);
      const found = await sessions
        .find({ state: 'exchanging', updatedAt: { $lt: new Date(now.getTime() - olderThanMs) } })
        .sort(oldestFirst)
        .limit(limit)
        .toArray();
      return found.map(toSession);
    },

    async listStaleSessions(states, before, limit) {
      const found = await sessions
        .find({ state: { $in: [...states] }, updatedAt: { $lt: before } })
        .sort(oldestFirst)
        .limit(limit)
        .toArray();
      return found.map(toSession);
    },

    async touchSession(id, state, now) {
      await sessions.updateOne({ _id: id, state }, { $set: { updatedAt: now } });
    },

    async deleteEndedSessions(before, limit) {
      const ended = { state: { $in: ['restored', 'failed'] }, updatedAt: { $lt: before } };
      const unclaimed = { state: 'pending', updatedAt: { $lt: before }, expiresAt: { $lt: before } };
      let deleted = 0;
      for (const over of [ended, unclaimed]) {
        if (deleted >= limit) break;
        const found = await sessions
          .find(over, idOnly)
          .limit(limit - deleted)
          .toArray();
        // With the condition again: a session may have moved on since it was found.
        const { deletedCount } = await sessions.deleteMany({ ...over, _id: { $in: found.map(({ _id }) => _id) } });
        deleted += deletedCount;
      }
      return deleted;
    },
  };
}

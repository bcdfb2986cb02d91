import type { SessionStore } from '../port/session-store.js';
import { toName } from '../stored-shapes.js';
import type { PostgresClient } from './create-client.js';
import { Prisma } from './generated/client.js';
import { toSession } from './map-rows.js';
import { firstSession, parseSessionRows, sessionColumns } from './session-rows.js';

/** Of a session that is exchanging: `updated_at` is then the time of its claim, by this database's clock. */
const claimedBefore = (olderThanMs: number) =>
  Prisma.sql`"state" = 'exchanging' AND "updated_at" < now() - ${olderThanMs}::double precision * interval '1 millisecond'`;

/**
 * Authorization sessions in PostgreSQL. Each step is one UPDATE with its condition in the WHERE clause: under READ
 * COMMITTED a second writer waits for the first one's row lock and then finds the condition no longer true.
 */
export function createSessionStore(client: PostgresClient): SessionStore {
  const sessions = client.authorizationSession;
  return {
    async insertSession(session) {
      const createdAt = new Date();
      const row = await sessions.create({ data: { ...session, state: 'pending', createdAt, updatedAt: createdAt } });
      return toSession(row);
    },

    async getSession(id) {
      const row = await sessions.findUnique({ where: { id } });
      return row && toSession(row);
    },

    async findSessionByStateHash(stateHash) {
      const row = await sessions.findUnique({ where: { stateHash } });
      return row && toSession(row);
    },

    async bindBrowser(id, browserHash, now) {
      const open = { id, state: 'pending', expiresAt: { gt: now } };
      const bound = await sessions.updateManyAndReturn({
        where: { ...open, browserHash: null },
        data: { browserHash, updatedAt: now },
      });
      // Once bound it stays bound, so looking after the write cannot miss.
      return firstSession(bound) ?? firstSession(await sessions.findMany({ where: { ...open, browserHash } }));
    },

    async claimSession(id, now) {
      // Raw, because the generated client knows no now().
      const rows = await client.$queryRaw`
        UPDATE "authorization_sessions"
           SET "state" = 'exchanging', "updated_at" = now()
         WHERE "id" = ${id} AND "state" = 'pending' AND "expires_at" > ${now}
        RETURNING ${sessionColumns}`;
      return firstSession(parseSessionRows(rows));
    },

    async sealGrant(id, sealedGrant, now) {
      // Raw, because the number has to be drawn by the write that uses it: two exchanges then stand in the order of
      // their writes.
      const rows = await client.$queryRaw`
        UPDATE "authorization_sessions"
           SET "state" = 'exchanged', "sealed_grant" = ${sealedGrant},
               "grant_sequence" = nextval('grant_sequence'), "updated_at" = ${now}
         WHERE "id" = ${id} AND "state" = 'exchanging'
        RETURNING ${sessionColumns}`;
      return firstSession(parseSessionRows(rows));
    },

    async recordAccount(id, account, now) {
      const recorded = await sessions.updateManyAndReturn({
        where: { id, state: 'exchanged', accountExternalId: null },
        data: {
          accountExternalId: account.externalId,
          accountCredentialId: account.credentialExternalId,
          accountName: toName(account.name),
          updatedAt: now,
        },
      });
      // Once recorded it stays, so looking after the write cannot miss.
      const { externalId, credentialExternalId } = account;
      const repeated = { accountExternalId: externalId, accountCredentialId: credentialExternalId };
      return (
        firstSession(recorded) ??
        firstSession(await sessions.findMany({ where: { id, state: 'exchanged', ...repeated } }))
      );
    },

    async connectSession(id, credentialId, entityId, now) {
      const connected = await sessions.updateManyAndReturn({
        where: { id, state: 'exchanged' },
        data: { state: 'connected', credentialId, entityId, sealedGrant: null, updatedAt: now },
      });
      const repeated = { id, state: { in: ['connected', 'restored'] }, credentialId, entityId };
      return firstSession(connected) ?? firstSession(await sessions.findMany({ where: repeated }));
    },

    async completeSession(id, now) {
      const completed = await sessions.updateManyAndReturn({
        where: { id, state: 'connected' },
        data: { state: 'restored', updatedAt: now },
      });
      return firstSession(completed);
    },

    async endSession(id, from, errorCode, now) {
      const ended = await sessions.updateManyAndReturn({
        where: { id, state: from, ...(from === 'exchanged' ? { accountExternalId: null } : {}) },
        data: { state: 'failed', errorCode, sealedGrant: null, updatedAt: now },
      });
      return firstSession(ended);
    },

    async endOrphanedSession(id, errorCode, now) {
      const ended = await sessions.updateManyAndReturn({
        where: { id, state: 'exchanged' },
        data: { state: 'failed', errorCode, sealedGrant: null, updatedAt: now },
      });
      return firstSession(ended);
    },

    async endAbandonedSession(id, olderThanMs, errorCode) {
      const rows = await client.$queryRaw`
        UPDATE "authorization_sessions"
           SET "state" = 'failed', "error_code" = ${errorCode}, "sealed_grant" = NULL, "updated_at" = now()
         WHERE "id" = ${id} AND ${claimedBefore(olderThanMs)}
        RETURNING ${sessionColumns}`;
      return firstSession(parseSessionRows(rows));
    },

    async listAbandonedSessions(olderThanMs, limit) {
      const rows = await client.$queryRaw`
        SELECT ${sessionColumns} FROM "authorization_sessions"
         WHERE ${claimedBefore(olderThanMs)}
         ORDER BY "updated_at", "id" LIMIT ${limit}`;
      return parseSessionRows(rows).map(toSession);
    },

    async listStaleSessions(states, before, limit) {
      const rows = await sessions.findMany({
        where: { state: { in: [...states] }, updatedAt: { lt: before } },
        orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
        take: limit,
      });
      return rows.map(toSession);
    },

    async touchSession(id, state, now) {
      await sessions.updateMany({ where: { id, state }, data: { updatedAt: now } });
    },

    async deleteEndedSessions(before, limit) {
      const { count } = await sessions.deleteMany({
        where: {
          updatedAt: { lt: before },
          OR: [{ state: { in: ['restored', 'failed'] } }, { state: 'pending', expiresAt: { lt: before } }],
        },
        limit,
      });
      return count;
    },
  };
}

import { z } from 'zod';
import type { Session, SessionStore } from '../port/session-store.js';
import type { PostgresClient } from './create-client.js';
import { type AuthorizationSession as SessionRow, Prisma } from './generated/client.js';
import { toSession } from './map-rows.js';

/** A row as raw SQL returns it: column names, checked, then named as the generated client names them. */
const rawSessionShape = z.object({
  id: z.string(),
  user_id: z.string(),
  provider: z.string(),
  state: z.string(),
  state_hash: z.string(),
  redirect_uri: z.string(),
  own_redirect: z.boolean(),
  return_url: z.string().nullable(),
  expected_entity_id: z.string().nullable(),
  expected_external_id: z.string().nullable(),
  browser_hash: z.string().nullable(),
  sealed_request: z.string(),
  sealed_grant: z.string().nullable(),
  grant_sequence: z.bigint().nullable(),
  account_external_id: z.string().nullable(),
  account_credential_id: z.string().nullable(),
  account_name: z.string().nullable(),
  credential_id: z.string().nullable(),
  entity_id: z.string().nullable(),
  error_code: z.string().nullable(),
  created_at: z.date(),
  expires_at: z.date(),
  updated_at: z.date(),
});
const rawSession = rawSessionShape.transform(
  (row): SessionRow => ({
    id: row.id,
    userId: row.user_id,
    provider: row.provider,
    state: row.state,
    stateHash: row.state_hash,
    redirectUri: row.redirect_uri,
    ownRedirect: row.own_redirect,
    returnUrl: row.return_url,
    expectedEntityId: row.expected_entity_id,
    expectedExternalId: row.expected_external_id,
    browserHash: row.browser_hash,
    sealedRequest: row.sealed_request,
    sealedGrant: row.sealed_grant,
    grantSequence: row.grant_sequence,
    accountExternalId: row.account_external_id,
    accountCredentialId: row.account_credential_id,
    accountName: row.account_name,
    credentialId: row.credential_id,
    entityId: row.entity_id,
    errorCode: row.error_code,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    updatedAt: row.updated_at,
  }),
);

/** By name: a prepared statement that returns `*` fails once a migration adds a column. */
const sessionColumns = Prisma.raw(Object.keys(rawSessionShape.shape).join(', '));

function first(rows: readonly SessionRow[]): Session | null {
  return rows[0] === undefined ? null : toSession(rows[0]);
}

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
      return first(bound) ?? first(await sessions.findMany({ where: { ...open, browserHash } }));
    },

    async claimSession(id, now) {
      const claimed = await sessions.updateManyAndReturn({
        where: { id, state: 'pending', expiresAt: { gt: now } },
        data: { state: 'exchanging', updatedAt: now },
      });
      return first(claimed);
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
      return first(z.array(rawSession).parse(rows));
    },

    async recordAccount(id, account, now) {
      const recorded = await sessions.updateManyAndReturn({
        where: { id, state: 'exchanged', accountExternalId: null },
        data: {
          accountExternalId: account.externalId,
          accountCredentialId: account.credentialExternalId,
          accountName: account.name,
          updatedAt: now,
        },
      });
      // Once recorded it stays, so looking after the write cannot miss.
      const { externalId, credentialExternalId } = account;
      const repeated = { accountExternalId: externalId, accountCredentialId: credentialExternalId };
      return first(recorded) ?? first(await sessions.findMany({ where: { id, state: 'exchanged', ...repeated } }));
    },

    async connectSession(id, credentialId, entityId, now) {
      const connected = await sessions.updateManyAndReturn({
        where: { id, state: 'exchanged' },
        data: { state: 'connected', credentialId, entityId, sealedGrant: null, updatedAt: now },
      });
      const repeated = { id, state: { in: ['connected', 'restored'] }, credentialId, entityId };
      return first(connected) ?? first(await sessions.findMany({ where: repeated }));
    },

    async completeSession(id, now) {
      const completed = await sessions.updateManyAndReturn({
        where: { id, state: 'connected' },
        data: { state: 'restored', updatedAt: now },
      });
      return first(completed);
    },

    async endSession(id, from, errorCode, now) {
      const ended = await sessions.updateManyAndReturn({
        where: { id, state: from, ...(from === 'exchanged' ? { accountExternalId: null } : {}) },
        data: { state: 'failed', errorCode, sealedGrant: null, updatedAt: now },
      });
      return first(ended);
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

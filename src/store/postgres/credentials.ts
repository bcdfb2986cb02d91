import { clientRejected, credentialDeleted, refreshOutcomeUnknown } from '../../domain/credential-standing.js';
import type { Credential, CredentialStore, GrantWrite, TokensWrite } from '../port/credential-store.js';
import type { PostgresClient } from './create-client.js';
import type { Credential as CredentialRow } from './generated/client.js';
import { toCredential } from './map-rows.js';
import { afterCursor, toPage } from './page-rows.js';

function first(rows: readonly CredentialRow[]): Credential | null {
  return rows[0] === undefined ? null : toCredential(rows[0]);
}

const alive = { authIsValid: true, verdictCode: null, verdictHttpStatus: null, verdictSince: null };

const unposted = { refreshTry: 0, refreshPosts: 0, refreshPostedAt: null };

/** judgeStanding as a condition: not dead. */
const mayRefresh = { OR: [{ authIsValid: true }, { verdictCode: clientRejected }] };
/** What a refresh brought is also the answer whose loss was the verdict. */
const mayStoreTokens = { OR: [...mayRefresh.OR, { verdictCode: refreshOutcomeUnknown }] };

function grantColumns({ kind, grantSequence, grantEndsAt, grantWarnAt, ...tokens }: GrantWrite) {
  return { ...tokenColumns(tokens), kind, grantSequence, grantEndsAt, grantWarnAt };
}

function tokenColumns(tokens: TokensWrite) {
  const { sealedTokens, refreshable, expiresAt, refreshDueAt } = tokens;
  return { sealedTokens, refreshable, expiresAt, refreshDueAt };
}

/** Credentials in PostgreSQL: the counters are the conditions, checked and raised by the same UPDATE. */
export function createCredentialStore(client: PostgresClient): CredentialStore {
  const credentials = client.credential;
  return {
    async getCredential(id) {
      const row = await credentials.findUnique({ where: { id } });
      return row && toCredential(row);
    },

    async getCredentialForUser(id, userId) {
      const row = await credentials.findUnique({ where: { id, userId } });
      return row && toCredential(row);
    },

    async listCredentials(userId, page) {
      const { position, take } = afterCursor(page);
      const rows = await credentials.findMany({ where: { userId, id: position }, orderBy: { id: 'asc' }, take });
      return toPage(rows.map(toCredential), page, credential => credential.id);
    },

    async findAnyCredential() {
      const row = await credentials.findFirst({ where: { sealedTokens: { not: '' } }, orderBy: { id: 'desc' } });
      return row && toCredential(row);
    },

    async findCredentialByExternalId(userId, provider, externalId) {
      const row = await credentials.findUnique({
        where: { userId_provider_externalId: { userId, provider, externalId } },
      });
      return row && toCredential(row);
    },

    async insertCredential({ id, userId, provider, externalId }, grant, now) {
      // ON CONFLICT DO NOTHING: losing the race is an ordinary answer, not an error.
      const inserted = await credentials.createManyAndReturn({
        data: [
          {
            ...{ id, userId, provider, externalId },
            ...grantColumns(grant),
            authIsValid: true,
            generation: 1,
            epoch: 1,
            createdAt: now,
            updatedAt: now,
          },
        ],
        skipDuplicates: true,
      });
      return first(inserted);
    },

    async replaceGrant(id, epoch, grant, now) {
      const replaced = await credentials.updateManyAndReturn({
        where: { id, epoch, grantSequence: { lt: grant.grantSequence } },
        data: {
          ...grantColumns(grant),
          ...alive,
          ...unposted,
          generation: { increment: 1 },
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      return first(replaced);
    },

    async markCredentialInvalid(id, epoch, verdict, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, epoch, ...(verdict.code === clientRejected ? { authIsValid: true } : mayRefresh) },
        data: {
          authIsValid: false,
          verdictCode: verdict.code,
          verdictHttpStatus: verdict.httpStatus,
          verdictSince: verdict.since,
          ...(verdict.code === clientRejected ? {} : { refreshDueAt: null }),
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      return first(marked);
    },

    async markCredentialValid(id, epoch, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, epoch, authIsValid: false, verdictCode: { not: credentialDeleted } },
        data: { ...alive, epoch: { increment: 1 }, updatedAt: now },
      });
      return first(marked);
    },

    async recordCredentialTest(id, { outcome, generation, at }) {
      await credentials.updateMany({
        where: { id, generation },
        data: { lastTestOutcome: outcome, lastTestGeneration: generation, lastTestAt: at },
      });
    },

    async compareAndSetTokens(id, generation, tokens, now) {
      const written = await credentials.updateManyAndReturn({
        where: { id, generation, ...mayStoreTokens },
        data: {
          ...tokenColumns(tokens),
          ...alive,
          ...unposted,
          generation: { increment: 1 },
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      return first(written);
    },

    async markRefreshPosted(id, generation, posts, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, generation, refreshPosts: posts, ...mayRefresh },
        data: { refreshPosts: { increment: 1 }, refreshPostedAt: now },
      });
      return first(marked);
    },

    async clearRefreshPosted(id, generation, posts) {
      const { count } = await credentials.updateMany({
        where: { id, generation, refreshPosts: posts, refreshPostedAt: { not: null } },
        data: { refreshPostedAt: null },
      });
      return count === 1;
    },

    async raiseRefreshTry(id, generation, refreshTry, dueAt) {
      const { count } = await credentials.updateMany({
        where: { id, generation, refreshTry },
        data: { refreshTry: { increment: 1 }, refreshDueAt: dueAt },
      });
      return count === 1;
    },

    async postponeRefresh(id, generation, dueAt) {
      const { count } = await credentials.updateMany({ where: { id, generation }, data: { refreshDueAt: dueAt } });
      return count === 1;
    },

    async listDueRefreshes(provider, now, limit) {
      const rows = await credentials.findMany({
        where: { provider, refreshDueAt: { lte: now }, refreshable: true, ...mayRefresh },
        orderBy: { refreshDueAt: 'asc' },
        take: limit,
      });
      return rows.map(toCredential);
    },

    async listEndingGrants(now, limit) {
      const rows = await credentials.findMany({
        where: { grantWarnAt: { lte: now }, authIsValid: true },
        orderBy: { grantWarnAt: 'asc' },
        take: limit,
      });
      return rows.map(toCredential);
    },

    async noteGrantWarned(id, warnAt) {
      const { count } = await credentials.updateMany({
        where: { id, grantWarnAt: warnAt },
        data: { grantWarnAt: null },
      });
      return count === 1;
    },
  };
}

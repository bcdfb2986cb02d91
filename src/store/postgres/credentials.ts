import type { Credential, CredentialStore } from '../port/credential-store.js';
import type { PostgresClient } from './create-client.js';
import type { Credential as CredentialRow } from './generated/client.js';
import { toCredential } from './map-rows.js';
import { afterCursor, toPage } from './page-rows.js';

function first(rows: readonly CredentialRow[]): Credential | null {
  return rows[0] === undefined ? null : toCredential(rows[0]);
}

const alive = { authIsValid: true, verdictCode: null, verdictHttpStatus: null, verdictSince: null };

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
      const row = await credentials.findFirst({ orderBy: { id: 'desc' } });
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
            ...{ kind: grant.kind, sealedTokens: grant.sealedTokens },
            ...{ refreshable: grant.refreshable, expiresAt: grant.expiresAt },
            grantSequence: grant.grantSequence,
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
          ...{ kind: grant.kind, sealedTokens: grant.sealedTokens },
          ...{ refreshable: grant.refreshable, expiresAt: grant.expiresAt },
          ...alive,
          grantSequence: grant.grantSequence,
          generation: { increment: 1 },
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      return first(replaced);
    },

    async markCredentialInvalid(id, epoch, verdict, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, epoch, authIsValid: true },
        data: {
          authIsValid: false,
          verdictCode: verdict.code,
          verdictHttpStatus: verdict.httpStatus,
          verdictSince: verdict.since,
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      return first(marked);
    },

    async markCredentialValid(id, epoch, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, epoch, authIsValid: false },
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
  };
}

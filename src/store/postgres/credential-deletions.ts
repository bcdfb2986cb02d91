import { credentialDeleted } from '../../domain/credential-standing.js';
import type { CredentialDeletionStore } from '../port/credential-deletion-store.js';
import type { PostgresClient } from './create-client.js';
import { toCredential } from './map-rows.js';

/** The end of credentials in PostgreSQL. Raw where one statement has to look at two tables. */
export function createCredentialDeletions(client: PostgresClient): CredentialDeletionStore {
  const credentials = client.credential;
  return {
    async markCredentialDeleted(id, epoch, now) {
      const marked = await credentials.updateManyAndReturn({
        where: { id, epoch, OR: [{ verdictCode: null }, { verdictCode: { not: credentialDeleted } }] },
        data: {
          authIsValid: false,
          verdictCode: credentialDeleted,
          verdictHttpStatus: null,
          verdictSince: now,
          refreshDueAt: null,
          grantWarnAt: null,
          epoch: { increment: 1 },
          updatedAt: now,
        },
      });
      const [row] = marked;
      return row === undefined ? null : toCredential(row);
    },

    async wipeCredential(id, epoch) {
      const wiped = await credentials.updateMany({
        where: { id, epoch, verdictCode: credentialDeleted },
        data: { sealedTokens: '', refreshable: false, expiresAt: null },
      });
      return wiped.count > 0;
    },

    async deleteCredential(id, epoch) {
      const count = await client.$executeRaw`
        DELETE FROM "credentials"
         WHERE "id" = ${id} AND "epoch" = ${epoch} AND "verdict_code" = ${credentialDeleted}
           AND NOT EXISTS (SELECT 1 FROM "entities" WHERE "credential_id" = ${id})`;
      return count > 0;
    },

    async listUnfinishedDeletions(before, limit) {
      const rows = await credentials.findMany({
        where: { verdictCode: credentialDeleted, sealedTokens: { not: '' }, updatedAt: { lt: before } },
        orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
        take: limit,
      });
      return rows.map(toCredential);
    },

    async keepTokensOfDeleted(id, generation, sealedTokens) {
      const { count } = await credentials.updateMany({
        where: { id, generation, verdictCode: credentialDeleted, sealedTokens: { not: '' } },
        data: { sealedTokens },
      });
      return count > 0;
    },

    async touchDeletion(id, epoch, now) {
      await credentials.updateMany({ where: { id, epoch, verdictCode: credentialDeleted }, data: { updatedAt: now } });
    },

    async deleteUnusedEntities(credentialId, grantSequence) {
      // An integration made at the same moment is kept from losing its entity by the foreign key. The conditions on the
      // row itself are looked at again where another writer had it: a reconnect raises the grant's number.
      return await client.$executeRaw`
        DELETE FROM "entities"
         WHERE "credential_id" = ${credentialId} AND "grant_sequence" <= ${grantSequence}
           AND NOT EXISTS (SELECT 1 FROM "integration_entities" WHERE "entity_id" = "entities"."id")`;
    },
  };
}

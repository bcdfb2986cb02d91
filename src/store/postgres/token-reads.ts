import type { CredentialId, TokenReadId, UserId } from '../../domain/ids.js';
import type { TokenReadStore } from '../port/token-read-store.js';
import type { PostgresClient } from './create-client.js';
import { afterCursor, toPage } from './page-rows.js';

/** The record of handed out tokens in PostgreSQL. */
export function createTokenReadStore(client: PostgresClient): TokenReadStore {
  const reads = client.tokenRead;
  return {
    async insertTokenRead(read) {
      await reads.create({ data: { ...read } });
    },

    async listTokenReads(credentialId, page) {
      const { position, take } = afterCursor(page);
      const rows = await reads.findMany({ where: { credentialId, id: position }, orderBy: { id: 'asc' }, take });
      const found = rows.map(row => ({
        ...row,
        id: row.id as TokenReadId,
        credentialId: row.credentialId as CredentialId,
        userId: row.userId as UserId,
      }));
      return toPage(found, page, read => read.id);
    },

    async deleteTokenReads(before, limit) {
      const { count } = await reads.deleteMany({ where: { readAt: { lt: before } }, limit });
      return count;
    },
  };
}

import { z } from 'zod';
import { RelinkError } from '../../errors.js';
import type { EntityStore } from '../port/entity-store.js';
import { toName } from '../stored-shapes.js';
import type { PostgresClient } from './create-client.js';
import { type Entity as EntityRow, Prisma } from './generated/client.js';
import { collectCauses } from './map-database-error.js';
import { toEntity } from './map-rows.js';
import { afterCursor, toPage } from './page-rows.js';

/** A row as raw SQL returns it: column names, checked, then named as the generated client names them. */
const rawEntityShape = z.object({
  id: z.string(),
  user_id: z.string(),
  provider: z.string(),
  external_id: z.string(),
  name: z.string().nullable(),
  credential_id: z.string(),
  grant_sequence: z.bigint(),
  created_at: z.date(),
  updated_at: z.date(),
});
const rawEntity = rawEntityShape.transform(
  (row): EntityRow => ({
    id: row.id,
    userId: row.user_id,
    provider: row.provider,
    externalId: row.external_id,
    name: row.name,
    credentialId: row.credential_id,
    grantSequence: row.grant_sequence,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }),
);

/** By name: a prepared statement that returns `*` fails once a migration adds a column. */
const entityColumns = Prisma.raw(Object.keys(rawEntityShape.shape).join(', '));

/** SQLSTATE: an entity refers to nothing but its credential. */
const foreignKeyViolation = '23503';

/** Entities in PostgreSQL. */
export function createEntityStore(client: PostgresClient): EntityStore {
  const entities = client.entity;
  return {
    async getEntity(id) {
      const row = await entities.findUnique({ where: { id } });
      return row && toEntity(row);
    },

    async getEntityForUser(id, userId) {
      const row = await entities.findUnique({ where: { id, userId } });
      return row && toEntity(row);
    },

    async listEntities(userId, page) {
      const { position, take } = afterCursor(page);
      const rows = await entities.findMany({ where: { userId, id: position }, orderBy: { id: 'asc' }, take });
      return toPage(rows.map(toEntity), page, entity => entity.id);
    },

    async upsertEntity({ id, userId, provider, externalId, name, credentialId, grantSequence }, now) {
      // Raw, because the client's upsert has no condition: an older grant must leave the row as it is.
      const write = client.$queryRaw`
        INSERT INTO "entities" AS known
               ("id", "user_id", "provider", "external_id", "name", "credential_id", "grant_sequence", "created_at", "updated_at")
        VALUES (${id}, ${userId}, ${provider}, ${externalId}, ${toName(name)}, ${credentialId}, ${grantSequence}, ${now}, ${now})
        ON CONFLICT ("user_id", "provider", "external_id") DO UPDATE
           SET "name" = EXCLUDED."name", "credential_id" = EXCLUDED."credential_id",
               "grant_sequence" = EXCLUDED."grant_sequence", "updated_at" = EXCLUDED."updated_at"
         WHERE known."grant_sequence" < EXCLUDED."grant_sequence"
        RETURNING ${entityColumns}`;
      const written = await write.catch((error: unknown) => {
        if (!collectCauses(error).codes.includes(foreignKeyViolation)) throw error;
        throw new RelinkError('not_found', credentialId, { cause: error });
      });
      const [fresh] = z.array(rawEntity).parse(written);
      if (fresh !== undefined) return toEntity(fresh);
      const row = await entities.findUnique({
        where: { userId_provider_externalId: { userId, provider, externalId } },
      });
      if (row === null) throw new RelinkError('write_conflict', id);
      return toEntity(row);
    },
  };
}

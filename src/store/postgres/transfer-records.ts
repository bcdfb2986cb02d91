import type { Pool } from 'pg';
import { z } from 'zod';
import { mapErrors } from '../map-errors.js';
import { entityKeySeparator } from '../stored-shapes.js';
import { importMark, keyColumns, type RecordKind, recordsAtOnce, type RecordStore } from '../transfer/records.js';
import { createPool, type PostgresOptions } from './create-pool.js';
import { toStoreError } from './map-database-error.js';

const rows = z.array(z.object({ record: z.record(z.string(), z.unknown()) }));
const counterRows = z.array(z.object({ value: z.coerce.number() }));

/** What is read in another form than the column has: a delivery that somebody holds becomes one that its holder lost. */
const released = `to_jsonb(t) - 'claim' || CASE WHEN t."state" = 'claimed'
  THEN '{"state": "queued", "suspect": true}'::jsonb ELSE '{}'::jsonb END`;
const sequences = { grants: 'grant_sequence', deliveries: 'deliveries_sequence_seq' } as const;

const insertInto = (kind: RecordKind) =>
  `INSERT INTO "${kind}" SELECT * FROM jsonb_populate_recordset(NULL::"${kind}", $1::jsonb) ON CONFLICT DO NOTHING`;

/**
 * The ids of an integration's entities stand in its key; the links are what queries use. In one statement: what is read
 * back is the row alone.
 */
const insertIntegrations = `WITH "rows" AS (${insertInto('integrations')})
  INSERT INTO "integration_entities" ("entity_id", "integration_id")
  SELECT unnest(string_to_array("entity_key", '${entityKeySeparator}')), "id"
    FROM jsonb_populate_recordset(NULL::"integrations", $1::jsonb) ON CONFLICT DO NOTHING`;

/**
 * Everything in PostgreSQL, row by row: the rows themselves as JSON, so that a column that a later migration adds is
 * moved without a word here. The names put into statements are this module's own.
 */
export function openPostgresRecords(options: PostgresOptions): RecordStore {
  const pool = createPool(options);
  return mapErrors<RecordStore>(
    {
      async read(kind, after) {
        const key = keyColumns[kind].map(column => `"${column}"`).join(', ');
        const from =
          after.length === 0 ? '' : `WHERE (${key}) > (${after.map((_, place) => `$${place + 1}`).join(', ')})`;
        const record = kind === 'deliveries' ? released : 'to_jsonb(t)';
        const found = await pool.query(
          `SELECT ${record} AS "record" FROM "${kind}" AS t ${from} ORDER BY ${key} LIMIT ${recordsAtOnce}`,
          [...after],
        );
        return rows.parse(found.rows).map(row => row.record);
      },

      async write(kind, records) {
        await pool.query(kind === 'integrations' ? insertIntegrations : insertInto(kind), [JSON.stringify(records)]);
      },

      async readCounters() {
        return {
          grants: await readSequence(pool, sequences.grants),
          deliveries: await readSequence(pool, sequences.deliveries),
        };
      },

      async raiseCounters(counters) {
        for (const name of ['grants', 'deliveries'] as const) {
          const [value, sequence] = [counters[name], sequences[name]];
          if (value === 0) continue;
          await pool.query(`SELECT setval('${sequence}', GREATEST($1::bigint, "last_value")) FROM "${sequence}"`, [
            value,
          ]);
        }
      },

      // Prisma's own tools read this row as a migration that never finished, and refuse the database too.
      async beginImport() {
        await pool.query(
          `INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name") VALUES ($1, '', $1) ON CONFLICT DO NOTHING`,
          [importMark],
        );
      },

      async endImport() {
        await pool.query(`DELETE FROM "_prisma_migrations" WHERE "id" = $1`, [importMark]);
      },

      close: () => pool.end(),
    },
    toStoreError,
  );
}

async function readSequence(pool: Pool, name: string): Promise<number> {
  const found = await pool.query(`SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS "value" FROM "${name}"`);
  return counterRows.parse(found.rows)[0]?.value ?? 0;
}

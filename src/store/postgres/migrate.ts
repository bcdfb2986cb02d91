import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { RelinkError } from '../../errors.js';
import { connectTimeoutMs, toStoreError } from './map-database-error.js';
import { readMigrations, type Migration } from './read-migrations.js';
import { refuseOldServer } from './refuse-old-server.js';

/** The key that Prisma's own engine locks, so that it and this runner also exclude each other. */
const migrationLock = 72707369;
/** Longer than any migration should take: a second process waits for the first one. */
const lockTimeoutMs = 5 * 60_000;

/** Prisma's bookkeeping, column for column, so that its own tools can take over at any time. */
const bookkeepingTable = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

interface AppliedMigration {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/**
 * Applies the pending migrations of `prisma/migrations`, each in its own transaction, and returns their names. Any
 * number of processes may call it at once: one works, the others wait and find nothing left to do.
 *
 * It stands in for `prisma migrate deploy`, whose engine is a separate download that a closed network does not allow.
 *
 * @throws RelinkError `database_unavailable`, also when the database named in the URL does not exist, or the
 *   server is too old;
 *   `migration_failed` when a migration fails (it is rolled back, those before it stay), or an applied one was changed
 *   since.
 */
export async function migrate(databaseUrl: string, folder?: string): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(folder);
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'relink-migrate',
  });
  // A connection that breaks between two statements emits; the next statement reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    refuseOldServer(rows[0]?.version ?? 0);
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
    // Held by the connection, so it goes with it, whatever happens to this process.
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query('SET client_min_messages = warning');
    await client.query(bookkeepingTable);
    const pending = selectPending(migrations, await readApplied(client));
    for (const migration of pending) await apply(client, migration);
    return { applied: pending.map(migration => migration.name) };
  } catch (error) {
    throw toMigrationError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readApplied(client: Client): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  return rows;
}

function selectPending(migrations: readonly Migration[], rows: readonly AppliedMigration[]): Migration[] {
  const applied = new Map(rows.map(row => [row.migration_name, row]));
  return migrations.filter(({ name, checksum }) => {
    const row = applied.get(name);
    if (row === undefined) return true;
    if (!row.finished) {
      throw new RelinkError('migration_failed', `${name} was begun by another tool and never finished`);
    }
    if (row.checksum !== checksum) {
      throw new RelinkError('migration_failed', `${name} was changed after it had been applied`);
    }
    return false;
  });
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<{ started: Date }>('SELECT clock_timestamp() AS started');
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name, rows[0]?.started],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    const mapped = toStoreError(error);
    if (mapped instanceof RelinkError && mapped.code === 'database_unavailable') throw mapped;
    throw new RelinkError('migration_failed', `${name}: ${messageOf(error)}`, { cause: error });
  }
}

function toMigrationError(error: unknown): unknown {
  if (error instanceof RelinkError) return error;
  if (hasCode(error, '55P03')) {
    return new RelinkError('migration_failed', 'another process holds the migration lock', { cause: error });
  }
  const mapped = toStoreError(error);
  if (!(mapped instanceof RelinkError)) return new RelinkError('migration_failed', messageOf(error), { cause: error });
  // An operator reads this: say which of host, port, user and password it was.
  return new RelinkError(mapped.code, messageOf(error), { cause: error });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function messageOf(error: unknown): string {
  // Where a name has several addresses, Node wraps one error for each and leaves the message empty.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

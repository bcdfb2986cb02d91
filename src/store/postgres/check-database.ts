import { RelinkError } from '../../errors.js';
import type { PostgresClient } from './create-client.js';
import { readMigrations } from './read-migrations.js';
import { z } from 'zod';

const appliedRows = z.array(z.object({ migration_name: z.string() }));
const tableRows = z.array(z.object({ present: z.boolean() }));

/**
 * Resolves when the database answers and holds every migration of this release.
 *
 * @throws RelinkError `database_unavailable`, or `database_not_migrated` naming the pending migrations.
 */
export async function checkDatabase(client: PostgresClient): Promise<void> {
  const migrations = await readMigrations();
  const applied = await readApplied(client);
  const pending = migrations.map(migration => migration.name).filter(name => !applied.has(name));
  if (pending.length > 0) throw new RelinkError('database_not_migrated', `pending: ${pending.join(', ')}`);
}

async function readApplied(client: PostgresClient): Promise<ReadonlySet<string>> {
  const tables = tableRows.parse(
    await client.$queryRaw`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`,
  );
  if (tables[0]?.present !== true) return new Set();
  const rows = await client.$queryRaw`
    SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  return new Set(appliedRows.parse(rows).map(row => row.migration_name));
}

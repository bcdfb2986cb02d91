import { RelinkError } from '../../errors.js';
import type { PostgresClient } from './create-client.js';
import { importMark } from '../transfer/records.js';
import { readMigrations } from './read-migrations.js';
import { refuseOldServer } from './refuse-old-server.js';
import { z } from 'zod';

const appliedRows = z.array(z.object({ migration_name: z.string(), finished: z.boolean() }));
const serverRows = z.array(z.object({ present: z.boolean(), version: z.number() }));

/**
 * Resolves when the database answers and holds every migration of this release.
 *
 * @throws RelinkError `database_unavailable` (also of a server that is too old), `database_not_migrated` naming the pending migrations, or
 *   `import_unfinished`.
 */
export async function checkDatabase(client: PostgresClient): Promise<void> {
  const migrations = await readMigrations();
  const rows = await readApplied(client);
  const applied = new Set(rows.filter(({ finished }) => finished).map(row => row.migration_name));
  const pending = migrations.map(migration => migration.name).filter(name => !applied.has(name));
  if (pending.length > 0) throw new RelinkError('database_not_migrated', `pending: ${pending.join(', ')}`);
  if (rows.some(row => row.migration_name === importMark)) throw new RelinkError('import_unfinished');
}

async function readApplied(client: PostgresClient): Promise<z.output<typeof appliedRows>> {
  const [server] = serverRows.parse(
    await client.$queryRaw`
      SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present,
             current_setting('server_version_num')::int AS version`,
  );
  if (server === undefined) return [];
  refuseOldServer(server.version);
  if (!server.present) return [];
  return appliedRows.parse(
    await client.$queryRaw`
      SELECT migration_name, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
}

import type { Client } from 'pg';
import { createPostgresStore } from '../../../../store/postgres/create-postgres-store.js';
import type { Store } from '../../../../store/port/store.js';

export interface Reads {
  readonly sequentialScans: number;
  readonly rowsRead: number;
}

/** What all of the database's tables have been read so far. */
async function readsSoFar(raw: Client): Promise<Reads> {
  const { rows } = await raw.query<{ scans: string; read: string }>(
    `SELECT sum(seq_scan) AS scans, sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_stat_user_tables
      WHERE relname <> '_prisma_migrations'`,
  );
  return { sequentialScans: Number(rows[0]?.scans), rowsRead: Number(rows[0]?.read) };
}

/** A backend reports its counts at the latest when it ends: waits until this test's connection is the only one. */
export async function othersGone(raw: Client): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    const { rows } = await raw.query(
      `SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    if (rows.length === 0) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error('a connection did not end');
}

/** What `call`, on a connection of its own, made the server read. */
export async function readsOf(
  raw: Client,
  databaseUrl: string,
  call: (store: Store) => Promise<unknown>,
): Promise<Reads> {
  const before = await readsSoFar(raw);
  const store = createPostgresStore({ databaseUrl, poolSize: 1 });
  await call(store);
  await store.close();
  await othersGone(raw);
  const after = await readsSoFar(raw);
  return {
    sequentialScans: after.sequentialScans - before.sequentialScans,
    rowsRead: after.rowsRead - before.rowsRead,
  };
}

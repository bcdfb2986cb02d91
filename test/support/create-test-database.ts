import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { ensureDatabase } from '../../src/embedded/postgres/ensure-database.js';
import { migrate } from '../../src/store/postgres/migrate.js';

export interface TestDatabase {
  readonly url: string;
  /** Also when connections are still open. */
  drop(): Promise<void>;
}

/** A fresh, migrated database on the server of the test run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env['RELINK_TEST_POSTGRES_URL'];
  if (server === undefined) throw new Error('No test server: is RELINK_TEST_NO_SERVERS set?');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await ensureDatabase(server, name);
  await migrate(url.href);
  return { url: url.href, drop: () => dropDatabase(server, name) };
}

async function dropDatabase(server: string, name: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

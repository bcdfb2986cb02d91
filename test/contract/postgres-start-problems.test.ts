import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { z } from 'zod';
import { ConfigError, RelinkError } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import { explainDatabaseError } from '../../src/store/postgres/explain-database-error.js';
import { migrate } from '../../src/store/postgres/migrate.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { startCuttableProxy } from '../support/cuttable-proxy.js';
import { query } from '../support/query.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** What server and worker, and `npm run migrate`, say about such a database. */
async function explainBoth(databaseUrl: string): Promise<readonly string[]> {
  const store = createPostgresStore({ databaseUrl });
  const failures: unknown[] = [];
  for (const call of [() => store.check(), () => migrate(databaseUrl)]) {
    await call().catch(async (error: unknown) => failures.push(await explainDatabaseError(error, databaseUrl)));
  }
  await store.close();
  return failures.flatMap(failure => (failure instanceof ConfigError ? failure.problems : [String(failure)]));
}

const place = () => new URL(database.url).host;
const name = () => new URL(database.url).pathname.slice(1);

it.each<[string, (url: URL) => void, () => string]>([
  [
    'a wrong password',
    url => (url.password = 'hidden-password'),
    () => `DATABASE_URL: the server at ${place()} refuses this user or password (database "${name()}")`,
  ],
  [
    'an unknown user',
    url => (url.username = 'nobody'),
    () => `DATABASE_URL: the server at ${place()} refuses this user or password (database "${name()}")`,
  ],
  [
    'a closed port',
    url => (url.port = '1'),
    () => `DATABASE_URL: nothing listens at 127.0.0.1:1 (database "${name()}")`,
  ],
  [
    'a host that does not exist',
    url => (url.hostname = 'no-such-host.invalid'),
    () => `DATABASE_URL: the host name no-such-host.invalid cannot be resolved (database "${name()}")`,
  ],
  [
    'a database that does not exist',
    url => (url.pathname = '/no_such_database'),
    () => `DATABASE_URL: the server at ${place()} has no database "no_such_database"; create it first`,
  ],
])('%s is told in one line, by the variable, without the password', async (_name, change, told) => {
  const url = new URL(database.url);
  change(url);
  expect(await explainBoth(url.href)).toEqual([told(), told()]);
});

describe('a user without rights', () => {
  const user = `nobody_${randomBytes(6).toString('hex')}`;
  let admin: Client;
  let url: string;
  beforeAll(async () => {
    admin = new Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`CREATE ROLE "${user}" LOGIN PASSWORD 'hidden-password'`);
    await admin.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    url = Object.assign(new URL(database.url), { username: user, password: 'hidden-password' }).href;
  });
  afterAll(async () => {
    await admin.query(`DROP ROLE "${user}"`);
    await admin.end();
  });
  const told = (what: string) =>
    `DATABASE_URL: the server at ${place()} does not let this user do that in the database "${name()}": ${what}`;

  it('in the database is told what it has none to', async () => {
    expect(await explainBoth(url)).toEqual([
      told('permission denied for table _prisma_migrations'),
      told('permission denied for schema public'),
    ]);
    const store = createPostgresStore({ databaseUrl: url });
    await expect(store.getSession(newId('session'))).rejects.toMatchObject({ code: 'database_unavailable' });
    await store.close();
  });

  it('to connect is told so', async () => {
    await admin.query(`REVOKE CONNECT ON DATABASE "${name()}" FROM PUBLIC`);
    const refusal = told(`permission denied for database "${name()}"`);
    expect(await explainBoth(url)).toEqual([refusal, refusal]);
    await admin.query(`GRANT CONNECT ON DATABASE "${name()}" TO PUBLIC`);
  });
});

it('a server that accepts and says nothing is told so', async () => {
  const proxy = await startCuttableProxy(database.url);
  proxy.silence();
  const told = `DATABASE_URL: ${new URL(proxy.url).host} does not answer (database "${name()}")`;
  expect(await explainBoth(proxy.url)).toEqual([told, told]);
  await proxy.mend();
  await proxy.close();
});

it('a password that the server asks for and the URL lacks is told so', async () => {
  // The driver leaves the connection open: the proxy ends it.
  const proxy = await startCuttableProxy(database.url);
  const url = new URL(proxy.url);
  url.password = '';
  const told = `DATABASE_URL: the server at ${url.host} asks for a password, and the URL has none (database "${name()}")`;
  expect(await explainBoth(url.href)).toEqual([told, told]);
  await proxy.cut();
  await proxy.close();
});

it('a server that is too old is told so', async () => {
  const [row] = await query(database.url, `SELECT current_setting('server_version_num') AS version`, []);
  const { version } = z.object({ version: z.string() }).parse(row);
  const proxy = await startCuttableProxy(database.url);
  proxy.alterAnswers(bytes => Buffer.from(bytes.toString('latin1').replace(version, '139999'), 'latin1'));
  const told = `DATABASE_URL: the server at ${new URL(proxy.url).host} is too old: PostgreSQL 14 or newer`;
  expect(await explainBoth(proxy.url)).toEqual([told, told]);
  await proxy.close();
});

it('what is not about reaching it stays as it is', async () => {
  for (const error of [new RelinkError('database_not_migrated'), new RelinkError('migration_failed'), new Error('x')]) {
    expect(await explainDatabaseError(error, database.url)).toBe(error);
  }
});

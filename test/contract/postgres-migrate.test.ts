import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import { migrate } from '../../src/store/postgres/migrate.js';
import { migrationsFolder, readMigrations } from '../../src/store/postgres/read-migrations.js';

const first = '20261123000000_init';
/** In the order they are applied. */
const committed = [
  first,
  '20261124000000_webhooks',
  '20261124090000_intake',
  '20261124100000_refresh',
  '20261124110000_kinds',
];
let admin: Client;
let client: Client;
let name: string;
let url: string;
let folder: string;

beforeAll(async () => {
  admin = new Client({ connectionString: process.env['RELINK_TEST_POSTGRES_URL'] });
  await admin.connect();
});
afterAll(() => admin.end());

beforeEach(async () => {
  name = `migrate_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const parsed = new URL(process.env['RELINK_TEST_POSTGRES_URL'] ?? '');
  parsed.pathname = `/${name}`;
  url = parsed.href;
  client = new Client({ connectionString: url });
  await client.connect();
  folder = await mkdtemp(path.join(tmpdir(), 'relink-migrations-'));
  await cp(migrationsFolder, folder, { recursive: true });
});

afterEach(async () => {
  await client.end();
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await rm(folder, { recursive: true });
});

async function addMigration(migration: string, sql: string): Promise<void> {
  await mkdir(path.join(folder, migration), { recursive: true });
  await writeFile(path.join(folder, migration, 'migration.sql'), sql);
}

async function appliedRows(): Promise<Record<string, unknown>[]> {
  const { rows } = await client.query<Record<string, unknown>>('SELECT * FROM _prisma_migrations ORDER BY started_at');
  return rows;
}

it('applies what is pending, once, in order', async () => {
  expect(await migrate(url)).toEqual({ applied: committed });
  expect(await migrate(url)).toEqual({ applied: [] });
  await addMigration('20270101000000_b', 'CREATE TABLE b AS SELECT * FROM a;');
  await addMigration('20261231000000_a', 'CREATE TABLE a (id INT); INSERT INTO a VALUES (1);');
  expect(await migrate(url, folder)).toEqual({ applied: ['20261231000000_a', '20270101000000_b'] });
  expect((await client.query('SELECT * FROM b')).rows).toEqual([{ id: 1 }]);
});

it("keeps Prisma's book as Prisma does", async () => {
  await migrate(url);
  const bytes = await readFile(path.join(migrationsFolder, first, 'migration.sql'));
  const [row] = await appliedRows();
  expect(row).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    checksum: createHash('sha256').update(bytes).digest('hex'),
    finished_at: expect.any(Date) as Date,
    migration_name: first,
    logs: null,
    rolled_back_at: null,
    started_at: expect.any(Date) as Date,
    applied_steps_count: 1,
  });
  const { rows } = await client.query(
    `SELECT column_name AS name, data_type AS type, character_maximum_length AS length, is_nullable AS nullable,
            column_default AS fallback
       FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`,
  );
  const time = 'timestamp with time zone';
  expect(rows.map(Object.values)).toEqual([
    ['id', 'character varying', 36, 'NO', null],
    ['checksum', 'character varying', 64, 'NO', null],
    ['finished_at', time, null, 'YES', null],
    ['migration_name', 'character varying', 255, 'NO', null],
    ['logs', 'text', null, 'YES', null],
    ['rolled_back_at', time, null, 'YES', null],
    ['started_at', time, null, 'NO', 'now()'],
    ['applied_steps_count', 'integer', null, 'NO', '0'],
  ]);
});

it('lets one of several processes work while the others wait', async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => migrate(url)));
  expect(results.flatMap(({ applied }) => applied)).toEqual(committed);
  expect(await appliedRows()).toHaveLength(committed.length);
});

it('undoes a migration that fails, keeps those before it, and goes on once it is mended', async () => {
  await addMigration('20270101000000_good', 'CREATE TABLE good (id INT);');
  await addMigration('20270102000000_bad', 'CREATE TABLE half (id INT); SELECT no_such_function();');
  await expect(migrate(url, folder)).rejects.toMatchObject({
    code: 'migration_failed',
    detail: expect.stringMatching(/^20270102000000_bad: .*no_such_function/) as string,
  });
  expect((await appliedRows()).map(row => row['migration_name'])).toEqual([...committed, '20270101000000_good']);
  expect((await client.query(`SELECT to_regclass('half') AS found`)).rows).toEqual([{ found: null }]);
  await addMigration('20270102000000_bad', 'CREATE TABLE half (id INT);');
  expect(await migrate(url, folder)).toEqual({ applied: ['20270102000000_bad'] });
});

it('undoes a migration that could not be noted, so that the next call begins it anew', async () => {
  await migrate(url, folder);
  // Done in one round trip, and then its own row is refused.
  const refusal = `ALTER TABLE _prisma_migrations ADD CONSTRAINT refused CHECK (migration_name NOT LIKE '%_unnoted');`;
  await addMigration('20270101000000_unnoted', `CREATE TABLE half (id INT); ${refusal}`);
  await expect(migrate(url, folder)).rejects.toMatchObject({
    code: 'migration_failed',
    detail: expect.stringMatching(/^20270101000000_unnoted: .*"refused"/) as string,
  });
  expect((await client.query(`SELECT to_regclass('half') AS found`)).rows).toEqual([{ found: null }]);
  await addMigration('20270101000000_unnoted', 'CREATE TABLE half (id INT);');
  expect(await migrate(url, folder)).toEqual({ applied: ['20270101000000_unnoted'] });
});

it('refuses an applied migration that was changed since, before it touches anything', async () => {
  await migrate(url, folder);
  await addMigration(first, 'SELECT 1;');
  await addMigration('20270101000000_next', 'CREATE TABLE next (id INT);');
  await expect(migrate(url, folder)).rejects.toMatchObject({
    code: 'migration_failed',
    detail: `${first} was changed after it had been applied`,
  });
  expect(await appliedRows()).toHaveLength(committed.length);
});

it('refuses to go on where another tool stopped halfway', async () => {
  await migrate(url, folder);
  await client.query('UPDATE _prisma_migrations SET finished_at = NULL');
  await expect(migrate(url, folder)).rejects.toMatchObject({ code: 'migration_failed' });
});

it('says that the database does not exist', async () => {
  const missing = new URL(url);
  missing.pathname = '/no_such_database';
  await expect(migrate(missing.href)).rejects.toMatchObject({
    code: 'database_unavailable',
    detail: 'database "no_such_database" does not exist',
  });
});

it.each([
  ['127.0.0.1', 'connect ECONNREFUSED 127.0.0.1:1'],
  ['localhost', 'ECONNREFUSED'],
  ['no-such-host.invalid', 'no-such-host.invalid'],
])('says why %s cannot be reached, without the password', async (host, reason) => {
  const failure: unknown = await migrate(`postgresql://u:hidden-password@${host}:1/x`).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'database_unavailable', detail: expect.stringContaining(reason) as string });
  expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('hidden-password');
});

it('makes the store ready, which until then names what is pending', async () => {
  const store = createPostgresStore({ databaseUrl: url });
  const pending = (await readMigrations()).map(migration => migration.name).join(', ');
  await expect(store.check()).rejects.toMatchObject({ code: 'database_not_migrated', detail: `pending: ${pending}` });
  await migrate(url);
  await expect(store.check()).resolves.toBeUndefined();
  await client.query('UPDATE _prisma_migrations SET finished_at = NULL');
  await expect(store.check()).rejects.toMatchObject({ code: 'database_not_migrated' });
  await store.close();
});

it('yields the tables and columns that the client was generated for', async () => {
  await migrate(url);
  const schema = await readFile(path.join(migrationsFolder, '../schema.prisma'), 'utf8');
  const { rows } = await client.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`,
  );
  const inDatabase = rows.map(({ table, column }) => `${table}.${column}`).sort();
  expect(inDatabase).toEqual(columnsOf(schema).sort());
});

/** `table.column` of every scalar field in the schema. */
function columnsOf(schema: string): string[] {
  return schema
    .split(/^model /m)
    .slice(1)
    .flatMap(model => {
      const table = /@@map\("(\w+)"\)/.exec(model)?.[1];
      return model.split('\n').flatMap(line => {
        const field = /^ {2}(\w+) +(?:String|Boolean|BigInt|Int|Json|DateTime)\b\?? *(.*)$/.exec(line);
        if (field === null) return [];
        return [`${table}.${/@map\("(\w+)"\)/.exec(field[2] ?? '')?.[1] ?? field[1]}`];
      });
    });
}

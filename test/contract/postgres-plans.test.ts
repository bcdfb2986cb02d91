import { Client } from 'pg';
import { othersGone, readsOf } from '../../src/cli/bench/stores/plans/count-reads.js';
import { integrationCalls } from '../../src/cli/bench/stores/plans/integration-calls.js';
import { seedBesides, seedIntegrations } from '../../src/cli/bench/stores/plans/seed-postgres.js';
import type { Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';

/**
 * The queries that grow with the number of customers, on 20,000 integrations and as many sessions. What counts is what
 * the server itself says it read for the statements that the store really sends. `npm run bench:stores` asks the same of
 * 100,000.
 */
const many = 20_000;

let database: TestDatabase;
let raw: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  raw = new Client({ connectionString: database.url });
  await raw.connect();
  const loader = new Client({ connectionString: database.url });
  await loader.connect();
  await seedIntegrations(loader, 1, many - 1);
  await seedBesides(loader, many);
  await loader.query(`
    UPDATE integrations SET resume_since = now() WHERE id IN (SELECT id FROM integrations ORDER BY id LIMIT 10 OFFSET 700);
    UPDATE token_reads SET read_at = now() - interval '2 days'
     WHERE id IN (SELECT id FROM token_reads ORDER BY id LIMIT 30 OFFSET 500)`);
  await loader.query('ANALYZE');
  await loader.end();
  await othersGone(raw);
}, 120_000);

afterAll(async () => {
  await raw.end();
  await database.drop();
});

it('counts what a sequential scan reads, so that the tests below can fail', async () => {
  const reads = await readsOf(raw, database.url, async () => {
    const other = new Client({ connectionString: database.url });
    await other.connect();
    await other.query(`SELECT count(*) FROM integrations WHERE config ->> 'x' = 'y'`);
    await other.end();
  });
  expect(reads.sequentialScans).toBe(1);
  expect(reads.rowsRead).toBeGreaterThanOrEqual(many - 2);
});

it.each(integrationCalls(many).map(call => [call.name, call] as const))(
  '%s reads by index, and few rows',
  async (_name, { expected, atMost, call }) => {
    let found = 0;
    const reads = await readsOf(raw, database.url, async db => {
      found = (await call(db))?.length ?? 0;
    });
    expect(found).toBe(expected);
    expect(reads.sequentialScans).toBe(0);
    expect(reads.rowsRead).toBeGreaterThan(0);
    expect(reads.rowsRead).toBeLessThan(atMost);
  },
);

const aDayAgo = () => new Date(Date.now() - 24 * 3_600_000);
/** The seed's sessions moved a second apart: before this, some 100 of them and those of the seconds since. */
const beforeMost = () => new Date(Date.now() - (many - 100) * 1_000);

// Not of integrationCalls: two of them take away what others look for, so they come last.
it.each<[string, number, (db: Store) => Promise<number>]>([
  [
    'listUnresumedIntegrations',
    10,
    async db => (await db.listUnresumedIntegrations(new Date(), { limit: 100, after: null })).rows.length,
  ],
  ['deleteEndedSessions', 50, db => db.deleteEndedSessions(beforeMost(), 50)],
  ['deleteTokenReads', 30, db => db.deleteTokenReads(aDayAgo(), 100)],
])('%s, which the sweep calls, reads by index, and few rows', async (_name, expected, call) => {
  let count = -1;
  const reads = await readsOf(raw, database.url, async db => {
    count = await call(db);
  });
  expect({ count, scans: reads.sequentialScans }).toEqual({ count: expected, scans: 0 });
  expect(reads.rowsRead).toBeGreaterThan(0);
  expect(reads.rowsRead).toBeLessThan(400);
});

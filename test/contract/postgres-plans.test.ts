import { Client } from 'pg';
import { othersGone, readsOf } from '../../src/cli/bench/stores/plans/count-reads.js';
import { integrationCalls } from '../../src/cli/bench/stores/plans/integration-calls.js';
import { seedBesides, seedIntegrations } from '../../src/cli/bench/stores/plans/seed-postgres.js';
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

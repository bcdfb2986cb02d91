import { Client } from 'pg';
import { othersGone, readsOf } from '../../src/cli/bench/stores/plans/count-reads.js';
import { busy, calm, deliveryCalls } from '../../src/cli/bench/stores/plans/delivery-calls.js';
import { seedConsumers, seedDeliveries } from '../../src/cli/bench/stores/plans/seed-postgres.js';
import type { IntegrationId } from '../../src/domain/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { claimOf, deliveryOf, succeeded } from './delivery-fixtures.js';

/**
 * The queue's queries on 140,000 deliveries of 1,000 integrations, all but a few of them done. One integration holds
 * 20,000 of them: what is pending there may not cost what ever came. `npm run bench:stores` asks the same of a million.
 */
const each = 120;
const page = { limit: 100, after: null };
const now = new Date();

let database: TestDatabase;
let raw: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  raw = new Client({ connectionString: database.url });
  await raw.connect();
  const loader = new Client({ connectionString: database.url });
  await loader.connect();
  await seedDeliveries(loader, [0, 999], each, 0);
  await seedDeliveries(loader, [7, 7], 20_000, 200_000);
  await seedConsumers(loader);
  await loader.query('VACUUM ANALYZE');
  await loader.end();
  await othersGone(raw);
}, 120_000);

afterAll(async () => {
  await raw.end();
  await database.drop();
});

it.each(deliveryCalls(each).map(call => [call.name, call] as const))(
  '%s reads by index, and few rows',
  async (_name, { expected, atMost, call }) => {
    let found = -1;
    const reads = await readsOf(raw, database.url, async db => {
      found = (await call(db))?.length ?? -1;
    });
    expect(found).toBe(expected);
    expect(reads.sequentialScans).toBe(0);
    expect(reads.rowsRead).toBeLessThan(atMost);
  },
);

it.each([
  ['the table was empty', () => Promise.resolve()],
  [
    'the statistics knew every integration but these',
    async (connection: Client) => {
      await seedDeliveries(connection, [100, 149], 200, 500_000);
      await connection.query('ANALYZE deliveries');
    },
  ],
])('goes on reading by index with plans made when %s', async (_name, prepare) => {
  const fresh = await createTestDatabase();
  const loader = new Client({ connectionString: fresh.url });
  await loader.connect();
  const work = async (db: Store) => {
    await db.insertDeliveries([deliveryOf(busy), deliveryOf(calm)]);
    for (const integrationId of [busy, calm]) await claimAndFinish(db, integrationId);
    await db.findDueIntegrations([busy, calm], now, [calm]);
    await db.listQueues(page, 10);
    for (const order of ['arrival', 'none'] as const) await db.findNextDue(busy, order);
    await db.hasPendingDeliveries(busy);
    await db.becomeConsumer(busy, 'run/1', now);
    await db.readQueue(busy, 10);
    await db.discardDeliveries(busy, { limit: 1 }, 'discarded_by_hand', now);
    await db.expireDeliveries(calm, { before: now, keep: 1, limit: 1 }, now);
    await db.replayDeliveries(busy, { state: 'discarded', limit: 1 });
  };
  try {
    const reads = await readsOf(loader, fresh.url, async db => {
      for (const integrationId of [busy, calm]) await db.becomeConsumer(integrationId, 'run/1', now);
      const other = new Client({ connectionString: fresh.url });
      await other.connect();
      await prepare(other);
      for (let round = 0; round < 12; round += 1) await work(db);
      await seedDeliveries(other, [0, 999], 30, 0);
      await seedDeliveries(other, [7, 8], 20_000, 200_000);
      await other.end();
      for (let round = 0; round < 12; round += 1) await work(db);
    });
    // One scan of the table would read 70,000, one of all that an integration ever got 20,000.
    expect(reads.rowsRead).toBeGreaterThan(0);
    expect(reads.rowsRead).toBeLessThan(15_000);
  } finally {
    await loader.end();
    await fresh.drop();
  }
});

async function claimAndFinish(db: Store, integrationId: IntegrationId): Promise<void> {
  const lot = (await db.claimDeliveries(claimOf(integrationId, { now }))) ?? [];
  if (lot.length === 0) throw new Error('nothing was claimed');
  await db.finishDeliveries(
    integrationId,
    'run/1',
    lot.map(({ id }) => succeeded(id)),
    now,
  );
}

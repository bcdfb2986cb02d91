import { Client } from 'pg';
import type { DeliveryId, IntegrationId } from '../../src/domain/ids.js';
import type { Page, PageRequest, Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { othersGone, readsOf } from './count-reads.js';
import { claimOf, deliveryOf, succeeded } from './delivery-fixtures.js';

/**
 * The queue's queries on 140,000 deliveries of 1,000 integrations, all but a few of them done. One integration holds
 * 20,000 of them: what is pending there may not cost what ever came.
 */
const busy = 'int_00000000000000000000000000000007' as IntegrationId;
const calm = 'int_00000000000000000000000000000008' as IntegrationId;
const everyone = Array.from({ length: 1_000 }, (_, index) => `int_${String(index).padStart(32, '0')}` as IntegrationId);
const page = { limit: 100, after: null };
const now = new Date();
const long = new Date(now.getTime() - 86_400_000);

let database: TestDatabase;
let raw: Client;

/** `pending` and `failed` rows of each integration are its last ones. */
async function load(
  connection: Client,
  [first, last]: readonly [number, number],
  each: number,
  from: number,
): Promise<void> {
  await connection.query(`
    INSERT INTO deliveries (id, integration_id, provider, external_id, sealed_content, state, reason, received_at, finished_at)
    SELECT 'dlv_' || lpad((${from} + row_number() OVER ())::text, 32, '0'), 'int_' || lpad(i::text, 32, '0'), 'attio',
           'evt' || ${from} + d, repeat('x', 300),
           CASE WHEN d > ${each - 5} THEN 'queued' WHEN d > ${each - 8} THEN 'failed' ELSE 'succeeded' END,
           CASE WHEN d > ${each - 8} AND d <= ${each - 5} THEN 'handler_failed' END,
           now() - interval '1 day',
           CASE WHEN d <= ${each - 5} THEN now() - interval '1 hour' - d * interval '1 second' END
      FROM generate_series(1, ${each}) d, generate_series(${first}, ${last}) i`);
}

beforeAll(async () => {
  database = await createTestDatabase();
  raw = new Client({ connectionString: database.url });
  await raw.connect();
  const loader = new Client({ connectionString: database.url });
  await loader.connect();
  await load(loader, [0, 999], 120, 0);
  await load(loader, [7, 7], 20_000, 200_000);
  await loader.query(`INSERT INTO delivery_consumers SELECT 'int_' || lpad(i::text, 32, '0'), 'run/1', now() - (i / 900) * interval '2 days'
                        FROM generate_series(0, 999) i`);
  await loader.query(`INSERT INTO subscriptions (integration_id, due_at, version)
                      SELECT 'int_' || lpad(i::text, 32, '0'), now() - interval '1 day' + i * interval '3 minutes', 1
                        FROM generate_series(0, 9999) i`);
  await loader.query('VACUUM ANALYZE');
  await loader.end();
  await othersGone(raw);
}, 120_000);

afterAll(async () => {
  await raw.end();
  await database.drop();
});

it.each<[string, number, number, (store: Store) => Promise<{ readonly length: number } | null>]>([
  ['a claim', 10, 60, db => db.claimDeliveries(claimOf(busy, { now }))],
  ['a claim without order', 5, 40, db => db.claimDeliveries(claimOf(calm, { now, order: 'none' }))],
  ['the end of a lot', 0, 60, db => claimAndFinish(db, everyone[9]!)],
  ['becoming the consumer', 0, 40, async db => (await db.becomeConsumer(busy, 'run/2', now), [])],
  ['what is due', 998, 6_000, db => db.findDueIntegrations(everyone, now)],
  ['what is due by arrival', 998, 6_000, db => db.findDueIntegrations(everyone, now, everyone)],
  ['what is due of 10', 10, 100, db => db.findDueIntegrations(everyone.slice(20, 30), now)],
  ['the next due', 1, 40, async db => [await db.findNextDue(busy, 'arrival')]],
  ['the next due without order', 1, 40, async db => [await db.findNextDue(busy, 'none')]],
  ['whether something is queued', 1, 10, async db => [await db.hasQueuedDeliveries(busy)]],
  ['a queue', 1, 40, async db => [await db.readQueue(busy, 10_001)]],
  ['the queues', 100, 1_500, async db => (await db.listQueues(page, 10_001)).rows],
  ['a page of deliveries', 100, 400, async db => (await db.listDeliveries(busy, {}, page)).rows],
  ['a page of failed ones', 6, 100, async db => (await db.listDeliveries(busy, { state: 'failed' }, page)).rows],
  [
    'a page of queued ones',
    5,
    100,
    async db => (await db.listDeliveries(everyone[13]!, { state: 'queued' }, page)).rows,
  ],
  ['one delivery', 1, 10, async db => [await db.getDelivery(busy, idOf(7 * 120))]],
  [
    'the replay of a state',
    3,
    100,
    async db => count(await db.replayDeliveries(calm, { state: 'failed', limit: 100 })),
  ],
  [
    'expiry',
    5,
    200,
    async db => count((await db.expireDeliveries(everyone[10]!, { before: now, keep: 9, limit: 9 }, now)).tooLong),
  ],
  [
    'too many',
    3,
    200,
    async db =>
      count((await db.expireDeliveries(everyone[11]!, { before: new Date(0), keep: 2, limit: 9 }, now)).tooMany),
  ],
  [
    'a discard',
    5,
    100,
    async db =>
      count(await db.discardDeliveries(everyone[12]!, { receivedAfter: null, limit: 9 }, 'discarded_by_hand', now)),
  ],
  ['retention', 100, 400, async db => count(await db.deleteFinishedDeliveries(now, 100))],
  ['the end of stale consumers', 20, 100, async db => count(await db.deleteStaleConsumers(long, 20))],
  [
    'an intake of known ones',
    0,
    100,
    async db => (await insertKnown(db)).filter(({ outcome }) => outcome !== 'duplicate'),
  ],
  [
    'what subscriptions are due',
    20,
    60,
    async db => (await db.listDueSubscriptions(now, { limit: 20, after: null })).rows,
  ],
  ['their next page', 20, 120, async db => (await secondPage(page => db.listDueSubscriptions(now, page))).rows],
])('%s reads by index, and few rows', async (_name, expected, atMost, call) => {
  let found = -1;
  const reads = await readsOf(raw, database.url, async db => {
    found = (await call(db))?.length ?? -1;
  });
  expect(found).toBe(expected);
  expect(reads.sequentialScans).toBe(0);
  expect(reads.rowsRead).toBeLessThan(atMost);
});

it.each([
  ['the table was empty', () => Promise.resolve()],
  [
    'the statistics knew every integration but these',
    async (connection: Client) => {
      await load(connection, [100, 149], 200, 500_000);
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
    await db.hasQueuedDeliveries(busy);
    await db.becomeConsumer(busy, 'run/1', now);
    await db.readQueue(busy, 10);
    await db.discardDeliveries(busy, { receivedAfter: null, limit: 1 }, 'discarded_by_hand', now);
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
      await load(other, [0, 999], 30, 0);
      await load(other, [7, 8], 20_000, 200_000);
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

const idOf = (place: number) => `dlv_${String(place).padStart(32, '0')}` as DeliveryId;
const count = (length: number) => ({ length });

async function claimAndFinish(db: Store, integrationId: IntegrationId): Promise<readonly unknown[]> {
  const lot = (await db.claimDeliveries(claimOf(integrationId, { now }))) ?? [];
  if (lot.length === 0) throw new Error('nothing was claimed');
  return db.finishDeliveries(
    integrationId,
    'run/1',
    lot.map(({ id }) => succeeded(id)),
    now,
  );
}

async function secondPage<Row>(list: (page: PageRequest) => Promise<Page<Row>>): Promise<Page<Row>> {
  const { next } = await list({ limit: 20, after: null });
  return list({ limit: 20, after: next });
}

const insertKnown = (db: Store) =>
  db.insertDeliveries(
    Array.from({ length: 20 }, (_, index) => deliveryOf(everyone[30 + index]!, { externalId: 'evt1' })),
  );

import { Long } from 'mongodb';
import { fewPeople } from '../../src/cli/bench/stores/sizes.js';
import type { BenchTarget } from '../../src/cli/bench/stores/contender.js';
import { openMongoTarget } from '../../src/cli/bench/stores/mongo-target.js';
import { countRows, type Operation } from '../../src/cli/bench/stores/operation.js';
import { operations } from '../../src/cli/bench/stores/operations/all.js';
import {
  seedMongoBesides,
  seedMongoDeliveries,
  seedMongoIntegrations,
} from '../../src/cli/bench/stores/plans/seed-mongo.js';
import { openPostgresTarget } from '../../src/cli/bench/stores/postgres-target.js';
import type { CredentialId, EntityId, IntegrationId, SessionId, UserId } from '../../src/domain/ids.js';
import { connectMongo, openCollections } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';

// The first run builds the server.
jest.setTimeout(300_000);

/** How many rows two calls of each contender found or changed. */
async function rowsOf(target: BenchTarget, operation: Operation): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const contender of target.contenders) {
    const call = await contender.ready(operation, await operation.prepare(target.scene, 2));
    rows[contender.name] = countRows(await call(0)) + countRows(await call(1));
  }
  await target.clear();
  return rows;
}

const cases = operations.map(operation => [operation.name, operation] as const);
/** What answers with nothing, and one that is compared by what it leaves. */
const silent = ['recordCredentialTest', 'insertTokenRead', 'becomeConsumer', 'noteLooking'];

describe('what bench:stores compares, on postgres', () => {
  let database: TestDatabase;
  let target: BenchTarget;
  beforeAll(async () => {
    database = await createTestDatabase();
    target = await openPostgresTarget(database.url, 1);
  });
  afterAll(async () => {
    await target.close();
    await database.drop();
  });

  it.each(cases)('%s finds and changes the same rows with the port and without', async (name, operation) => {
    const { port, bare } = await rowsOf(target, operation);
    expect(bare).toBe(port);
    if (!silent.includes(name)) expect(port).toBeGreaterThan(0);
  });
});

describeOnMongo('what bench:stores compares, on mongo', () => {
  let mongo: TestMongo;
  let target: BenchTarget;
  beforeAll(async () => {
    mongo = await startTestMongo();
    const url = mongo.newDatabase();
    await migrateMongo(url);
    target = await openMongoTarget(url, fewPeople);
  });
  afterAll(async () => {
    await target.close();
    await mongo.stop();
  });

  it.each(cases)('%s finds and changes the same documents with the port and without', async (name, operation) => {
    const { port, bare } = await rowsOf(target, operation);
    expect(bare).toBe(port);
    if (!silent.includes(name)) expect(port).toBeGreaterThan(0);
  });

  it('seeds a real MongoDB with documents that the store reads', async () => {
    const databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
    const raw = connectMongo({ databaseUrl });
    const collections = openCollections(raw.db);
    const store = createMongoStore({ databaseUrl });
    const page = { limit: 100, after: null };
    const numbered = (prefix: string, place: number) => `${prefix}_${String(place).padStart(32, '0')}`;
    try {
      await seedMongoIntegrations(collections, 1, 19);
      await seedMongoIntegrations(collections, 20, 39);
      await seedMongoBesides(collections, 40);
      await seedMongoDeliveries(collections, [3, 4], 12, 0);
      const id = numbered('int', 4) as IntegrationId;
      const entityId = numbered('ent', 10) as EntityId;
      const found = await store.findIntegrationsByEntityId(entityId, page);
      expect(found.rows.map(row => row.id)).toEqual([numbered('int', 18), numbered('int', 19)]);
      expect(await store.getEntity(entityId)).toMatchObject({ credentialId: numbered('cred', 10) });
      expect(await store.getCredential(numbered('cred', 7) as CredentialId)).toMatchObject({ authIsValid: false });
      expect(await store.getSession(numbered('ses', 5) as SessionId)).toMatchObject({ state: 'failed' });
      expect(await store.getSubscription(id)).toMatchObject({ version: 1 });
      expect((await store.listTokenReads(numbered('cred', 4_242) as CredentialId, page)).rows).toHaveLength(10);
      expect((await store.listIntegrations('user-25' as UserId, { status: 'ERROR' }, page)).rows).toHaveLength(1);
      expect(await store.readQueue(id, 100)).toMatchObject({ pending: 5 });
      expect((await store.listDeliveries(id, { state: 'failed' }, page)).rows).toHaveLength(3);
      expect(await collections.counters.findOne({ _id: 'deliveries' }, { promoteLongs: false })).toMatchObject({
        value: Long.fromNumber(24),
      });
    } finally {
      await store.close();
      await raw.client.close();
    }
  });
});

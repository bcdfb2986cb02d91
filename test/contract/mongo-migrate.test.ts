import { Long } from 'mongodb';
import { startWireProxy, type Verdict, type WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { connectMongo, openCollections } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { indexes } from '../../src/store/mongo/define-indexes.js';
import { validators } from '../../src/store/mongo/define-validators.js';
import { migrateMongo, schemaChanges } from '../../src/store/mongo/migrate.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import { claimLot, insertSome, newIntegration, one } from './delivery-fixtures.js';
import { insertCredential, newUser, sessionIn } from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

type Command = Record<string, unknown>;

describeOnMongo('migrating a mongo database', () => {
  let mongo: TestMongo;
  let proxy: WireProxy;
  let judge: (command: Command) => Verdict | Promise<Verdict> = () => 'pass';
  beforeAll(async () => {
    mongo = await startTestMongo();
    proxy = await startWireProxy(targetOf(mongo.newDatabase()), command => judge(command));
  });
  const closing: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    judge = () => 'pass';
    for (const open of closing.splice(0)) await open.close();
  });
  afterAll(async () => {
    await proxy.close();
    await mongo.stop();
  });

  /** The same new database, past the proxy and through it. */
  function newDatabase(profile = 'mongodb') {
    const plain = mongo.newDatabase();
    return { plain, url: throughProxy(plain, proxy, { relinkProfile: profile, tls: 'false' }) };
  }

  async function expectMigrated(databaseUrl: string) {
    const store = createMongoStore({ databaseUrl });
    await expect(store.check()).resolves.toBeUndefined();
    await store.close();
    const { client, db } = connectMongo({ databaseUrl });
    const collections = openCollections(db);
    for (const [name, definitions] of Object.entries(indexes)) {
      const found = await collections[name as keyof typeof indexes].indexes();
      expect(found.map(index => index.name).sort()).toEqual(['_id_', ...definitions.map(index => index.name)].sort());
    }
    await client.close();
  }

  it('is done once by many at once, and again changes nothing', async () => {
    const { plain } = newDatabase();
    const all = await Promise.all(Array.from({ length: 5 }, () => migrateMongo(plain)));
    expect(all.flatMap(({ applied }) => applied)).toEqual([...schemaChanges]);
    expect((await migrateMongo(plain)).applied).toEqual([]);
    await expectMigrated(plain);
  });

  it('builds one index at a time, and waits for one that another process builds', async () => {
    const { plain, url } = newDatabase('documentdb');
    let busy = 2;
    const atOnce: number[] = [];
    judge = command => {
      if (!('createIndexes' in command)) return 'pass';
      atOnce.push((command['indexes'] as unknown[]).length);
      busy -= 1;
      const errmsg = 'Existing index build in progress on the same collection.';
      return busy >= 0 ? { reply: { ok: 0, code: 40_333, errmsg } } : 'pass';
    };
    await migrateMongo(url);
    expect(new Set(atOnce)).toEqual(new Set([1]));
    await expectMigrated(plain);
  });

  it('fails on an index that is refused, without trying again', async () => {
    const { url } = newDatabase();
    let tries = 0;
    judge = command => {
      if (!('createIndexes' in command)) return 'pass';
      tries += 1;
      return { reply: { ok: 0, code: 11_000, errmsg: 'E11000 duplicate key error' } };
    };
    await expect(migrateMongo(url)).rejects.toMatchObject({ code: 'migration_failed' });
    expect(tries).toBe(1);
  });

  it('is begun again when its connection is cut in between, as by a primary that steps down', async () => {
    const { plain, url } = newDatabase();
    let cuts = 0;
    judge = command => {
      if (command['createIndexes'] !== 'deliveries' || cuts === 2) return 'pass';
      cuts += 1;
      return cuts === 1 ? 'cut' : 'pass and cut';
    };
    expect((await migrateMongo(url)).applied).toEqual([...schemaChanges]);
    expect(cuts).toBe(2);
    await expectMigrated(plain);
  });

  it('is given up as database_unavailable when it is cut each time, and counts as not done', async () => {
    const { plain, url } = newDatabase();
    judge = command => (command['createIndexes'] === 'deliveries' ? 'cut' : 'pass');
    await expect(migrateMongo(url)).rejects.toMatchObject({ code: 'database_unavailable' });
    const store = createMongoStore({ databaseUrl: plain });
    closing.push(store);
    await expect(store.check()).rejects.toMatchObject({ code: 'database_not_migrated' });
    judge = () => 'pass';
    expect((await migrateMongo(url)).applied).toEqual([...schemaChanges]);
  });

  it('refuses an index that is there by its name with other fields, and counts as not done', async () => {
    const { plain, url } = newDatabase();
    const { client, db } = connectMongo({ databaseUrl: plain });
    const store = createMongoStore({ databaseUrl: plain });
    closing.push(store, client);
    const name = 'integrationId_externalId';
    await openCollections(db).deliveries.createIndex({ integrationId: 1 }, { name });
    await expect(migrateMongo(url)).rejects.toMatchObject({
      code: 'migration_failed',
      detail: `the index ${name} is there with other fields`,
    });
    await expect(store.check()).rejects.toMatchObject({ code: 'database_not_migrated' });
  });

  it('takes a collection and a counter that another process made first, whatever the refusal is called', async () => {
    const { plain, url } = newDatabase('documentdb');
    const { client, db } = connectMongo({ databaseUrl: plain });
    let hasCounter = false;
    judge = async (command): Promise<Verdict> => {
      if ('create' in command) {
        await db.createCollection(String(command['create']));
        return { reply: { ok: 0, code: 11, errmsg: 'the target collection already exists' } };
      }
      if (command['update'] === 'counters' && !hasCounter) {
        hasCounter = true;
        await openCollections(db).counters.insertOne({ _id: 'grants', value: Long.ZERO });
        return { reply: { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg: 'duplicate key' }] } };
      }
      return 'pass';
    };
    expect((await migrateMongo(url)).applied).toEqual([...schemaChanges]);
    await client.close();
    await expectMigrated(plain);
  });

  it('goes on from the highest number in use where counters are missing, as after a restore of some collections', async () => {
    const { plain: databaseUrl } = newDatabase();
    await migrateMongo(databaseUrl);
    const store = createMongoStore({ databaseUrl });
    const { client, db } = connectMongo({ databaseUrl });
    closing.push(store, client);
    const { counters } = openCollections(db);
    const grants = async () => (await sessionIn(store, 'exchanged')).grantSequence ?? 0;
    const fenceOf = async (id: string) =>
      (await openCollections(db).consumers.findOne({ _id: id }))?.['fence'] as unknown;
    await insertCredential(store, newUser(), 7);
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 3);
    await store.becomeConsumer(integrationId, 'run/1', one);
    expect(await grants()).toBe(1);

    await counters.deleteMany({});
    await expect(store.check()).rejects.toMatchObject({
      code: 'database_not_migrated',
      detail: 'missing: the counters grants, deliveries, fences',
    });
    await expect(grants()).rejects.toMatchObject({ code: 'database_not_migrated' });
    await migrateMongo(databaseUrl);
    await store.check();
    expect(await grants()).toBe(8);
    const later = await insertSome(store, integrationId, 1);
    await store.becomeConsumer(integrationId, 'run/2', one);
    expect(await fenceOf(integrationId)).toBe(2);
    const lot = await claimLot(store, integrationId, { claim: 'run/2' });
    expect(lot.map(({ id }) => id)).toEqual([...ids, ...later]);
  });

  describe('validators', () => {
    it('are set for each collection that has rules, as moderate: what an older version left can be changed', async () => {
      const { url } = newDatabase();
      const sent: Command[] = [];
      judge = command => {
        if (!('collMod' in command)) return 'pass';
        sent.push(command);
        return { reply: { ok: 1 } };
      };
      expect((await migrateMongo(url)).notes).toEqual([]);
      expect(sent).toHaveLength(Object.keys(validators).length);
      for (const command of sent) expect(command).toMatchObject({ validationLevel: 'moderate', validator: {} });
    });

    it('are done without, and it is said, where the server has none', async () => {
      const { plain, url } = newDatabase('documentdb');
      judge = command => ('collMod' in command ? { reply: { ok: 0, code: 303, errmsg: 'not supported' } } : 'pass');
      expect(await migrateMongo(url)).toEqual({
        applied: [...schemaChanges],
        notes: [expect.stringContaining('no validators')],
      });
      await expectMigrated(plain);
    });

    it.each([
      ['a MongoDB, which has them', 'mongodb', 303, 'migration_failed'],
      ['a server that does not let this user', 'documentdb', 13, 'database_unavailable'],
    ])('are not done without on %s', async (_name, profile, code, error) => {
      const { url } = newDatabase(profile);
      judge = command => ('collMod' in command ? { reply: { ok: 0, code, errmsg: 'refused' } } : 'pass');
      await expect(migrateMongo(url)).rejects.toMatchObject({ code: error });
    });
  });
});

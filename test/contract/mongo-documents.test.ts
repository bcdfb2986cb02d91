import { startWireProxy, type Verdict, type WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { connectMongo, openCollections, type MongoConnection } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import type { Store } from '../../src/store/port/store.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import {
  claimLot,
  claimOf,
  idsOf,
  insertSome,
  newIntegration,
  one,
  readDelivery,
  succeeded,
} from './delivery-fixtures.js';
import {
  deadBecauseOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  newUser,
  noon,
  sessionIn,
} from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

describeOnMongo('documents of the mongo store', () => {
  let mongo: TestMongo;
  let proxy: WireProxy;
  let verdict: (command: Record<string, unknown>) => Verdict | Promise<Verdict> = () => 'pass';
  let store: Store;
  let raw: MongoConnection;
  beforeAll(async () => {
    mongo = await startTestMongo();
    const databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
    raw = connectMongo({ databaseUrl });
    proxy = await startWireProxy(targetOf(databaseUrl), command => verdict(command));
    store = createMongoStore({ databaseUrl: throughProxy(databaseUrl, proxy) });
  });
  afterAll(async () => {
    await store.close();
    await raw.client.close();
    await proxy.close();
    await mongo.stop();
  });
  const collections = () => openCollections(raw.db);
  /** What an older version wrote was right by its own validators, and may be wrong by today's. */
  const asThen = { bypassDocumentValidation: true };

  it('that an older version wrote, without fields that may be null, are read as if they were', async () => {
    const userId = newUser();
    const credential = await insertCredential(store, userId);
    const entity = await insertEntity(store, userId, credential.id);
    const integration = await insertIntegration(store, userId, [entity.id]);
    const session = await sessionIn(store, 'pending');
    const { credentials, integrations, sessions } = collections();
    await credentials.updateOne({ _id: credential.id }, { $unset: { verdict: 1, lastTest: 1, expiresAt: 1 } }, asThen);
    await integrations.updateOne({ _id: integration.id }, { $unset: { resumeSince: 1, resuming: 1 } }, asThen);
    await sessions.updateOne({ _id: session.id }, { $unset: { browserHash: 1, account: 1, sealedGrant: 1 } }, asThen);
    expect(await store.getCredential(credential.id)).toEqual(credential);
    expect(await store.getIntegration(integration.id)).toEqual(integration);
    expect(await store.getSession(session.id)).toEqual(session);
    // And the conditions of writes hold for them.
    expect(await store.bindBrowser(session.id, 'browser', noon)).toMatchObject({ browserHash: 'browser' });
  });

  it('that an older version wrote, without the counts of requests, can be refreshed', async () => {
    const { credentials } = collections();
    for (const older of [
      { $unset: { refreshPosts: 1, refreshTry: 1 } },
      { $set: { refreshPosts: null, refreshTry: null } },
    ]) {
      const { id } = await insertCredential(store, newUser());
      await credentials.updateOne({ _id: id }, older, asThen);
      expect(await store.raiseRefreshTry(id, 1, 0, noon)).toBe(true);
      expect(await store.raiseRefreshTry(id, 1, 0, noon)).toBe(false);
      expect(await store.markRefreshPosted(id, 1, 0, noon)).toMatchObject({ refreshPosts: 1, refreshTry: 1 });
      expect(await store.markRefreshPosted(id, 1, 0, noon)).toBeNull();
      await credentials.updateOne({ _id: id }, { $unset: { refreshPosts: 1 } }, asThen);
      expect(await store.clearRefreshPosted(id, 1, 0)).toBe(true);
    }
  });

  it('that an older version wrote, before there were kinds of credentials and counts of requests, are of OAuth and begin at 0', async () => {
    const userId = newUser();
    const credential = await insertCredential(store, userId);
    const entity = await insertEntity(store, userId, credential.id);
    const state = deadBecauseOf(credential.id);
    const integration = await insertIntegration(store, userId, [entity.id], { state });
    const { credentials, integrations } = collections();
    await credentials.updateOne(
      { _id: credential.id },
      { $unset: { kind: 1, refreshTry: 1, refreshPosts: 1 } },
      asThen,
    );
    const causes = state.causes.map(cause => ({ ...cause, kind: undefined }));
    await integrations.updateOne(
      { _id: integration.id },
      { $set: { causes: JSON.parse(JSON.stringify(causes)) as object[] } },
      asThen,
    );
    expect(await store.getCredential(credential.id)).toEqual({ ...credential, kind: 'oauth2' });
    expect((await store.getIntegration(integration.id))?.state.causes).toEqual(state.causes);
  });

  it('that nobody understands are refused and not guessed at', async () => {
    const { id } = await insertCredential(store, newUser());
    await collections().credentials.updateOne({ _id: id }, { $set: { generation: 'two' } });
    await expect(store.getCredential(id)).rejects.toThrow(/generation/);
  });

  it('a claim that was written after its successor had looked is handed to nobody, and queued again', async () => {
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 3);
    await store.becomeConsumer(integrationId, 'run/1', one);
    // The second look at the consumer, after the claim was written, finds another one.
    let looks = 0;
    verdict = command => {
      if (command['find'] !== 'delivery_consumers') return 'pass';
      looks += 1;
      const ns = `${String(command['$db'])}.delivery_consumers`;
      return looks === 2 ? { reply: { ok: 1, cursor: { firstBatch: [], id: 0n, ns } } } : 'pass';
    };
    expect(await store.claimDeliveries(claimOf(integrationId))).toBeNull();
    verdict = () => 'pass';
    expect(looks).toBe(2);
    const lot = await claimLot(store, integrationId);
    expect(lot.map(({ id, suspect }) => [id, suspect])).toEqual(ids.map(id => [id, false]));
  });

  it.each(['arrival', 'none'] as const)(
    'a claim left by one that died between its two looks is met by the next claim (order %s)',
    async order => {
      const integrationId = newIntegration();
      const ids = await insertSome(store, integrationId, 2);
      await store.becomeConsumer(integrationId, 'run/1', one);
      await store.becomeConsumer(integrationId, 'run/2', one);
      // What run/1 wrote too late, after run/2 had looked for it.
      const late = { state: 'claimed', claim: 'run/1', fence: 1, lot: 'late' };
      await collections().deliveries.updateOne({ _id: ids[0]! }, { $set: late });
      const lot = await claimLot(store, integrationId, { claim: 'run/2', order });
      expect(lot.map(({ id, suspect }) => [id, suspect])).toEqual([[ids[0], true]]);
      expect(await store.finishDeliveries(integrationId, 'run/1', [succeeded(ids[0]!)], one)).toEqual([ids[0]]);
      expect((await readDelivery(store, integrationId, ids[0]!)).state).toBe('claimed');
      expect(await store.finishDeliveries(integrationId, 'run/2', [succeeded(ids[0]!)], one)).toEqual([]);
      expect(idsOf(await claimLot(store, integrationId, { claim: 'run/2', order }))).toEqual([ids[1]]);
    },
  );

  it('by arrival nothing is handed out past what a frozen predecessor took between the look and the writes', async () => {
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 4);
    await store.becomeConsumer(integrationId, 'run/1', one);
    await store.becomeConsumer(integrationId, 'run/2', one);
    verdict = async (command): Promise<Verdict> => {
      if (command['update'] !== 'deliveries') return 'pass';
      verdict = () => 'pass';
      const late = { state: 'claimed', claim: 'run/1', fence: 1, lot: 'late' };
      await collections().deliveries.updateOne({ _id: ids[2]! }, { $set: late });
      return 'pass';
    };
    expect(idsOf(await claimLot(store, integrationId, { claim: 'run/2' }))).toEqual(ids.slice(0, 2));
    expect(await readDelivery(store, integrationId, ids[3]!)).toMatchObject({ state: 'queued', attempts: 0 });
    await store.finishDeliveries(integrationId, 'run/2', ids.slice(0, 2).map(succeeded), one);
    for (const [place, suspect] of [
      [2, true],
      [3, false],
    ] as const) {
      const lot = await claimLot(store, integrationId, { claim: 'run/2' });
      expect(lot).toMatchObject([{ id: ids[place], suspect }]);
      await store.finishDeliveries(integrationId, 'run/2', [succeeded(ids[place]!)], one);
    }
  });

  it('an end that comes after its successor claimed changes nothing, and names what it lost', async () => {
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 1);
    await store.becomeConsumer(integrationId, 'run/1', one);
    await claimLot(store, integrationId);
    // Between the look at the consumer and the write.
    verdict = async (command): Promise<Verdict> => {
      if (command['update'] !== 'deliveries') return 'pass';
      verdict = () => 'pass';
      await store.becomeConsumer(integrationId, 'run/2', one);
      expect(await claimLot(store, integrationId, { claim: 'run/2' })).toHaveLength(1);
      return 'pass';
    };
    expect(await store.finishDeliveries(integrationId, 'run/1', ids.map(succeeded), one)).toEqual(ids);
    expect(await readDelivery(store, integrationId, ids[0]!)).toMatchObject({ state: 'claimed', attempts: 0 });
    expect(await store.finishDeliveries(integrationId, 'run/2', ids.map(succeeded), one)).toEqual([]);
  });

  it('a discard up to a limit makes up for what was claimed between its look and its write', async () => {
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 6);
    await store.becomeConsumer(integrationId, 'run/1', one);
    verdict = async (command): Promise<Verdict> => {
      if (command['update'] !== 'deliveries') return 'pass';
      verdict = () => 'pass';
      await claimLot(store, integrationId, { limit: 2 });
      return 'pass';
    };
    const which = { limit: 3 };
    expect(await store.discardDeliveries(integrationId, which, 'discarded_by_hand', one)).toBe(3);
    const { rows } = await store.listDeliveries(integrationId, { state: 'queued' }, { limit: 9, after: null });
    expect(idsOf(rows)).toEqual([ids[5]]);
  });

  it('a fence rises over every consumer there was, also where its document was deleted', async () => {
    const integrationId = newIntegration();
    const [id] = await insertSome(store, integrationId, 1);
    await store.becomeConsumer(integrationId, 'run/1', noon);
    await claimLot(store, integrationId);
    expect(await store.deleteStaleConsumers(one, 100)).toBeGreaterThan(0);
    expect(await store.finishDeliveries(integrationId, 'run/1', [succeeded(id!)], one)).toEqual([id]);
    await store.becomeConsumer(integrationId, 'run/2', one);
    expect(await claimLot(store, integrationId, { claim: 'run/2' })).toMatchObject([{ id, suspect: true }]);
  });
});

import { startWireProxy, type Verdict, type WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { connectMongo, openCollections, type MongoConnection } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import type { Store } from '../../src/store/port/store.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
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
import { newId } from '../../src/ids.js';
import {
  grantOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  newExternalId,
  newUser,
  noon,
  sessionIn,
} from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

describeOnMongo('documents of the mongo store', () => {
  let mongo: TestMongo;
  let proxy: WireProxy;
  let verdict: (command: Record<string, unknown>) => Verdict = () => 'pass';
  let store: Store;
  let raw: MongoConnection;
  beforeAll(async () => {
    mongo = await startTestMongo();
    const url = new URL(mongo.newDatabase());
    await migrateMongo(url.href);
    raw = connectMongo({ databaseUrl: url.href });
    proxy = await startWireProxy({ port: Number(url.port) }, command => verdict(command));
    url.host = `127.0.0.1:${proxy.port}`;
    store = createMongoStore({ databaseUrl: url.href });
  });
  afterAll(async () => {
    await store.close();
    await raw.client.close();
    await proxy.close();
    await mongo.stop();
  });
  const collections = () => openCollections(raw.db);

  it('that an older version wrote, without fields that may be null, are read as if they were', async () => {
    const userId = newUser();
    const credential = await insertCredential(store, userId);
    const entity = await insertEntity(store, userId, credential.id);
    const integration = await insertIntegration(store, userId, [entity.id]);
    const session = await sessionIn(store, 'pending');
    const { credentials, integrations, sessions } = collections();
    await credentials.updateOne({ _id: credential.id }, { $unset: { verdict: 1, lastTest: 1, expiresAt: 1 } });
    await integrations.updateOne({ _id: integration.id }, { $unset: { resumeSince: 1, resuming: 1 } });
    await sessions.updateOne({ _id: session.id }, { $unset: { browserHash: 1, account: 1, sealedGrant: 1 } });
    expect(await store.getCredential(credential.id)).toEqual(credential);
    expect(await store.getIntegration(integration.id)).toEqual(integration);
    expect(await store.getSession(session.id)).toEqual(session);
    // And the conditions of writes hold for them.
    expect(await store.bindBrowser(session.id, 'browser', noon)).toMatchObject({ browserHash: 'browser' });
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

  describe('what is removed while somebody refers to it', () => {
    /** Answers the next such command in the server's place. */
    function beforeNext(name: string, collection: string, answer: Verdict) {
      verdict = command => {
        if (command[name] !== collection) return 'pass';
        verdict = () => 'pass';
        return answer;
      };
    }
    const nothing = (collection: string): Verdict => ({
      reply: { ok: 1, cursor: { firstBatch: [], id: 0n, ns: `any.${collection}` } },
    });

    it('an integration whose entity is marked or gone after its write is taken back', async () => {
      const userId = newUser();
      const entity = await insertEntity(store, userId);
      const { entities, integrations } = collections();
      const insert = () => insertIntegration(store, userId, [entity.id]);
      for (const change of ['marked', 'gone']) {
        if (change === 'marked') await entities.updateOne({ _id: entity.id }, { $set: { removing: true } });
        else await entities.deleteOne({ _id: entity.id });
        // Before the write it was there.
        beforeNext('find', 'entities', {
          reply: { ok: 1, cursor: { firstBatch: [{ _id: entity.id }], id: 0n, ns: 'any.entities' } },
        });
        await expect(insert()).rejects.toMatchObject({ code: 'entity_not_usable' });
        expect(await integrations.countDocuments({ entityIds: entity.id })).toBe(0);
      }
    });

    it('an entity that an integration uses loses the mark again', async () => {
      const userId = newUser();
      const entity = await insertEntity(store, userId);
      await insertIntegration(store, userId, [entity.id]);
      expect(await store.deleteUnusedEntities(entity.credentialId, entity.grantSequence)).toBe(0);
      expect(await collections().entities.findOne({ _id: entity.id })).toMatchObject({ removing: false });
      await insertIntegration(store, userId, [entity.id]);
    });

    it('an entity is not left pointing to a credential that went while it was written', async () => {
      const userId = newUser();
      const [old, fresh] = [await insertCredential(store, userId), await insertCredential(store, userId)];
      const entity = await insertEntity(store, userId, old.id);
      await collections().credentials.updateOne({ _id: fresh.id }, { $set: { removing: true } });
      const { id, provider, externalId, name } = entity;
      const write = { userId, provider, externalId, name, credentialId: fresh.id, grantSequence: 2 };
      await expect(store.upsertEntity({ id, ...write }, noon)).rejects.toMatchObject({ code: 'write_conflict' });
      expect(await store.getEntity(id)).toEqual(entity);
      const other = { ...write, id: newId('entity'), externalId: newExternalId() };
      await expect(store.upsertEntity(other, noon)).rejects.toMatchObject({ code: 'write_conflict' });
      expect(await store.getEntity(other.id)).toBeNull();
      // A new grant ends the removal.
      expect(await store.replaceGrant(fresh.id, 1, grantOf(2), noon)).not.toBeNull();
      expect(await store.upsertEntity({ id, ...write }, noon)).toMatchObject({ id, credentialId: fresh.id });
    });

    it('a credential to which an entity was pointed during the look is kept by its epoch alone', async () => {
      const userId = newUser();
      const credential = await insertCredential(store, userId);
      await insertEntity(store, userId, credential.id);
      await store.markCredentialDeleted(credential.id, 1, noon);
      // The look misses the entity, as if it had been written just after: its writer then finds the mark.
      beforeNext('find', 'entities', nothing('entities'));
      expect(await store.deleteCredential(credential.id, 1)).toBe(false);
      verdict = () => 'pass';
      expect(await store.deleteCredential(credential.id, 2)).toBe(false);
      expect(await collections().credentials.findOne({ _id: credential.id })).toMatchObject({ removing: false });
    });
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

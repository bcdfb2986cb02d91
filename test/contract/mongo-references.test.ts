import { startWireProxy, type Verdict, type WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import type { CredentialId } from '../../src/domain/ids.js';
import { newId } from '../../src/ids.js';
import { connectMongo, openCollections, type MongoConnection } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import type { NewIntegration, Store } from '../../src/store/port/store.js';
import { createBarrier } from '../support/create-barrier.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import {
  attio,
  grantOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  newExternalId,
  newUser,
  noon,
  ready,
} from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

type Judge = (command: Record<string, unknown>) => Verdict | Promise<Verdict>;

/** What PostgreSQL's foreign keys decide, here decided by the order of writes: one step is stopped, another one runs. */
describeOnMongo('references in the mongo store', () => {
  let mongo: TestMongo;
  let databaseUrl: string;
  let proxy: WireProxy;
  let judge: Judge = () => 'pass';
  /** Goes through the proxy. */
  let store: Store;
  /** Goes past it. */
  let plain: Store;
  let raw: MongoConnection;
  beforeAll(async () => {
    mongo = await startTestMongo();
    databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
    raw = connectMongo({ databaseUrl });
    plain = createMongoStore({ databaseUrl });
    proxy = await startWireProxy(targetOf(databaseUrl), command => judge(command));
    store = createMongoStore({ databaseUrl: throughProxy(databaseUrl, proxy) });
  });
  afterEach(() => {
    judge = () => 'pass';
  });
  afterAll(async () => {
    await store.close();
    await plain.close();
    await raw.client.close();
    await proxy.close();
    await mongo.stop();
  });
  const collections = () => openCollections(raw.db);

  const isWriteTo = (command: Record<string, unknown>, collection: string, names: readonly string[]) =>
    names.some(name => command[name] === collection);
  /** Once, before the command is passed on. */
  function before(
    collection: string,
    names: readonly string[],
    act: () => Promise<unknown>,
    verdict: Verdict = 'pass',
  ) {
    judge = async command => {
      if (!isWriteTo(command, collection, names)) return 'pass';
      judge = () => 'pass';
      await act();
      return verdict;
    };
  }

  /** As the workflow of a deletion does it, up to the end. */
  async function removeCredential(id: CredentialId): Promise<boolean> {
    const marked = await plain.markCredentialDeleted(id, 1, noon);
    if (marked === null) throw new Error('not marked');
    await plain.wipeCredential(id, marked.epoch);
    await plain.deleteUnusedEntities(id, marked.grantSequence);
    return plain.deleteCredential(id, marked.epoch);
  }

  const newIntegration = (
    userId: NewIntegration['userId'],
    entityIds: NewIntegration['entityIds'],
  ): NewIntegration => ({
    ...{ id: newId('integration'), userId, type: 'crm' as NewIntegration['type'], entityIds, config: {} },
    state: { ...ready, lifecycle: 'creating' },
  });

  describe.each(['made', 'pointed elsewhere'])('an entity that is %s while its credential is removed', how => {
    async function writeOf() {
      const userId = newUser();
      const { id: credentialId } = await insertCredential(plain, userId);
      const key = { userId, provider: attio, externalId: newExternalId(), name: 'Acme' };
      if (how === 'pointed elsewhere') {
        const old = await insertCredential(plain, userId);
        await plain.upsertEntity({ id: newId('entity'), ...key, credentialId: old.id, grantSequence: 1 }, noon);
      }
      return { id: newId('entity'), ...key, credentialId, grantSequence: 5 };
    }
    const writes = ['insert', 'findAndModify'];

    it('keeps it: the removal comes too late', async () => {
      const write = await writeOf();
      let isRemoved: boolean | undefined;
      before('entities', writes, async () => (isRemoved = await removeCredential(write.credentialId)));
      expect(await store.upsertEntity(write, noon)).toMatchObject({ credentialId: write.credentialId });
      expect(isRemoved).toBe(false);
      expect(await plain.getCredential(write.credentialId)).not.toBeNull();
    });

    it('keeps it also when the connection is cut at any moment after, and the write is repeated', async () => {
      for (const cut of ['update', 'find', 'findAndModify']) {
        const write = await writeOf();
        let isRemoved = false;
        let isWritten = false;
        judge = async command => {
          if (isWritten) return command[cut] === 'credentials' ? 'cut' : 'pass';
          if (!isWriteTo(command, 'entities', writes)) return 'pass';
          isWritten = true;
          isRemoved = await removeCredential(write.credentialId);
          return 'pass';
        };
        const outcome = await store.upsertEntity(write, noon).then(
          () => 'written',
          () => 'failed',
        );
        judge = () => 'pass';
        const repeated = await store.upsertEntity(write, noon).catch(() => null);
        expect([cut, outcome, repeated?.credentialId, isRemoved]).toEqual([
          cut,
          cut === 'update' ? 'failed' : 'written',
          write.credentialId,
          false,
        ]);
        expect(await plain.getCredential(write.credentialId)).not.toBeNull();
      }
    });

    it('keeps it also where the removal looked before it was written, and goes on before its writer is done', async () => {
      const write = await writeOf();
      const marked = (await plain.markCredentialDeleted(write.credentialId, 1, noon))!;
      await plain.wipeCredential(write.credentialId, marked.epoch);
      let written: Promise<unknown> | undefined;
      let pins = 0;
      const barrier = createBarrier();
      judge = async (command): Promise<Verdict> => {
        if (command['delete'] === 'credentials') {
          written = store.upsertEntity(write, noon);
          await barrier.reached;
        } else if (command['update'] === 'credentials') {
          pins += 1;
          if (pins === 2) await barrier.wait();
        }
        return 'pass';
      };
      expect(await store.deleteCredential(write.credentialId, marked.epoch)).toBe(false);
      barrier.letGo();
      expect(await written).toMatchObject({ credentialId: write.credentialId });
    });

    it('is refused when the removal was there first, and nothing of it is written', async () => {
      const write = await writeOf();
      const known = (await plain.listEntities(write.userId, { limit: 9, after: null })).rows;
      expect(await removeCredential(write.credentialId)).toBe(true);
      await expect(store.upsertEntity(write, noon)).rejects.toMatchObject({ code: 'not_found' });
      expect((await plain.listEntities(write.userId, { limit: 9, after: null })).rows).toEqual(known);
    });

    it('is taken back by a writer that slept until it counted as dead', async () => {
      const write = await writeOf();
      const known = (await plain.listEntities(write.userId, { limit: 9, after: null })).rows;
      before('entities', writes, () => collections().credentials.deleteOne({ _id: write.credentialId }));
      await expect(store.upsertEntity(write, noon)).rejects.toMatchObject({ code: 'not_found' });
      expect((await plain.listEntities(write.userId, { limit: 9, after: null })).rows).toEqual(known);
    });
  });

  describe('an integration that is made while its entity is removed', () => {
    async function scene() {
      const userId = newUser();
      const entity = await insertEntity(plain, userId);
      const remove = () => plain.deleteUnusedEntities(entity.credentialId, entity.grantSequence);
      return { userId, entity, remove, integration: newIntegration(userId, [entity.id]) };
    }

    it('keeps the entity, also when the connection is cut at any moment after', async () => {
      for (const cut of ['update', 'find']) {
        const { entity, remove, integration } = await scene();
        let removed: number | undefined;
        judge = async command => {
          if (removed !== undefined) return command[cut] === 'entities' ? 'cut' : 'pass';
          if (command['insert'] === 'integrations') removed = await remove();
          return 'pass';
        };
        const first = store.insertIntegration(integration, noon);
        if (cut === 'update') await expect(first).rejects.toMatchObject({ code: 'database_unavailable' });
        else expect(await first).toMatchObject({ created: true });
        judge = () => 'pass';
        const again = await store.insertIntegration({ ...integration, id: newId('integration') }, noon);
        expect(again).toMatchObject({ created: false, integration: { id: integration.id } });
        expect(removed).toBe(0);
        expect(await plain.getEntity(entity.id)).toEqual(entity);
      }
    });

    it('is refused when the entity went first, and nothing of it is written', async () => {
      const { remove, integration } = await scene();
      expect(await remove()).toBe(1);
      await expect(store.insertIntegration(integration, noon)).rejects.toMatchObject({ code: 'entity_not_usable' });
      expect(await plain.getIntegration(integration.id)).toBeNull();
    });

    it('is answered to a second caller only if it stays', async () => {
      const { userId, entity, remove, integration } = await scene();
      let second: string | undefined;
      let isInserted = false;
      judge = async (command): Promise<Verdict> => {
        if (command['insert'] === 'integrations') isInserted = true;
        else if (isInserted) {
          judge = () => 'pass';
          const answer = await plain.insertIntegration(newIntegration(userId, [entity.id]), noon);
          second = answer.integration.id;
          await remove();
          // The mark of a removal that looked before the integration was written.
          await collections().entities.updateOne({ _id: entity.id }, { $set: { removing: true } });
        }
        return 'pass';
      };
      expect(await store.insertIntegration(integration, noon)).toMatchObject({ created: true });
      expect(second).toBe(integration.id);
      expect(await plain.getIntegration(integration.id)).not.toBeNull();
    });

    it('is taken back by a writer that slept until it counted as dead', async () => {
      const { entity, integration } = await scene();
      before('integrations', ['insert'], () => collections().entities.deleteOne({ _id: entity.id }));
      await expect(store.insertIntegration(integration, noon)).rejects.toMatchObject({ code: 'entity_not_usable' });
      expect(await plain.getIntegration(integration.id)).toBeNull();
    });
  });

  describe('what is in use', () => {
    it('can be referred to while a removal looks at it', async () => {
      const userId = newUser();
      const entity = await insertEntity(plain, userId);
      await insertIntegration(plain, userId, [entity.id]);
      let made: unknown;
      before('integrations', ['find'], async () => (made = await insertIntegration(plain, userId, [entity.id])));
      expect(await store.deleteUnusedEntities(entity.credentialId, entity.grantSequence)).toBe(0);
      expect(made).toMatchObject({ entityIds: [entity.id] });
    });

    it('is not removed by a removal that looked before it was, whatever other removals do meanwhile', async () => {
      const userId = newUser();
      const credential = await insertCredential(plain, userId);
      const { epoch } = (await plain.markCredentialDeleted(credential.id, 1, noon))!;
      const write = { userId, provider: attio, externalId: newExternalId(), name: 'Acme' };
      const entity = { id: newId('entity'), ...write, credentialId: credential.id, grantSequence: 5 };
      let others: unknown[] = [];
      before('credentials', ['delete'], async () => {
        others = [await plain.upsertEntity(entity, noon), await plain.deleteCredential(credential.id, epoch)];
        // And one more, which has marked it and not looked yet.
        await collections().credentials.updateOne({ _id: credential.id }, { $set: { removing: true } });
      });
      expect(await store.deleteCredential(credential.id, epoch)).toBe(false);
      expect(others).toMatchObject([{ id: entity.id }, false]);
      expect(await plain.getCredential(credential.id)).not.toBeNull();
    });

    it('counts as free again an hour after a writer died that was about to refer to it', async () => {
      for (const [minutes, removed] of [
        [50, 0],
        [70, 1],
      ] as const) {
        const entity = await insertEntity(plain, newUser());
        const pin = `${new Date(Date.now() - minutes * 60_000).toISOString()} dead`;
        await collections().entities.updateOne({ _id: entity.id }, { $set: { pins: [pin] } });
        expect(await plain.deleteUnusedEntities(entity.credentialId, entity.grantSequence)).toBe(removed);
      }
    });

    it('holds no pin once it is written', async () => {
      const userId = newUser();
      const entity = await insertEntity(plain, userId);
      await insertIntegration(plain, userId, [entity.id]);
      const { entities, credentials } = collections();
      expect(await entities.findOne({ _id: entity.id })).toMatchObject({ pins: [] });
      expect(await credentials.findOne({ _id: entity.credentialId })).toMatchObject({ pins: [] });
    });
  });

  it('a new grant ends the removal of a credential that is under way', async () => {
    const credential = await insertCredential(plain, newUser());
    const { epoch } = (await plain.markCredentialDeleted(credential.id, 1, noon))!;
    before('credentials', ['delete'], () => plain.replaceGrant(credential.id, epoch, grantOf(2), noon));
    expect(await store.deleteCredential(credential.id, epoch)).toBe(false);
    expect(await plain.getCredential(credential.id)).toMatchObject({ authIsValid: true });
  });
});

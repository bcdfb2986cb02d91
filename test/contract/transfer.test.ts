import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { newId } from '../../src/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { migrateStore, openRecords, openStore } from '../../src/store/open-store.js';
import { importRecords } from '../../src/store/transfer/import-records.js';
import { type RecordKind, recordKinds } from '../../src/store/transfer/records.js';
import { RecordSummer } from '../../src/store/transfer/sum-records.js';
import { writeTransferFile } from '../../src/store/transfer/transfer-file.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { claimLot, failed, insertSome, newIntegration, one, retry, succeeded } from './delivery-fixtures.js';
import {
  causeOf,
  deadBecauseOf,
  grantOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  later,
  newUser,
  noon,
  ready,
  sessionIn,
} from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

/** Something of everything, in every form that a record has. */
async function fill(store: Store) {
  const userId = newUser();
  const credential = await insertCredential(store, userId, 7);
  await store.recordCredentialTest(credential.id, { outcome: 'ok', generation: 1, at: noon });
  const dead = await insertCredential(store, userId, 8);
  await store.markCredentialInvalid(dead.id, 1, { code: 'credential_refused', httpStatus: 401, since: noon }, noon);
  const [one_, two] = [await insertEntity(store, userId, credential.id), await insertEntity(store, userId, dead.id)];
  const config = { 'a.b': { $set: [1, 'Ünïcode ☃ \u2028\u2029', null] }, z: 1, a: 2 };
  const living = await insertIntegration(store, userId, [one_.id], { config });
  const ill = await insertIntegration(store, userId, [two.id, one_.id], { state: deadBecauseOf(dead.id) });
  await store.compareAndSetIntegration(living.id, 1, { state: ready, resumeSince: noon }, later(noon, 5));
  const sessions = [];
  for (const state of ['pending', 'exchanging', 'exchanged', 'restored', 'failed'] as const) {
    sessions.push(await sessionIn(store, state));
  }
  const proven = { externalId: 'a' as never, credentialExternalId: 'b' as never, name: 'Acme ☃\u2028' };
  await store.recordAccount(sessions[2]!.id, proven, noon);
  await insertSome(store, living.id, 4);
  await store.becomeConsumer(living.id, 'run/1', one);
  const lot = await claimLot(store, living.id, { limit: 3 });
  await store.finishDeliveries(
    living.id,
    'run/1',
    [succeeded(lot[0]!.id), failed(lot[1]!.id, 'no ☃\u2029'), retry(lot[2]!.id, later(one, 9))],
    one,
  );
  const failure = { detail: 'HTTP 500', since: noon, tries: 2 };
  await store.compareAndSetSubscription(living.id, 0, { sealedSecrets: 's', expiresAt: null, dueAt: one, failure });
  await store.compareAndSetSubscription(ill.id, 0, { sealedSecrets: null, expiresAt: one, dueAt: null, failure: null });
  await store.insertTokenRead({
    id: newId('tokenRead'),
    ...{ credentialId: credential.id, userId, apiKey: 'main', generation: 1, requestId: 'r', readAt: noon },
  });
  return { userId, credential, dead, living, ill, sessions };
}

describeOnMongo('moving between PostgreSQL and MongoDB', () => {
  let postgres: TestDatabase;
  let mongo: TestMongo;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'relink-transfer-'));
    [postgres, mongo] = await Promise.all([createTestDatabase(), startTestMongo()]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await postgres.drop();
    await mongo.stop();
  });

  async function within<Result>(databaseUrl: string, act: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore({ databaseUrl, poolSize: 2 });
    return act(store).finally(() => store.close());
  }
  async function exportTo(databaseUrl: string, name: string) {
    const records = await openRecords({ databaseUrl });
    const file = join(folder, name);
    const end = await writeTransferFile(records, file).finally(() => records.close());
    return { file, end };
  }
  async function importFrom(databaseUrl: string, file: string) {
    const records = await openRecords({ databaseUrl });
    return importRecords(records, file).finally(() => records.close());
  }
  async function newMongo(): Promise<string> {
    const url = mongo.newDatabase();
    await migrateStore(url);
    return url;
  }

  it('carries everything there and back again, to the byte, and each store works with it', async () => {
    const made = await within(postgres.url, fill);
    const there = await exportTo(postgres.url, 'there.jsonl');
    for (const kind of recordKinds) expect([kind, there.end.counts[kind] > 0]).toEqual([kind, true]);
    const target = await newMongo();
    expect(await importFrom(target, there.file)).toEqual(there.end);

    const read = (store: Store) => async () => ({
      credential: await store.getCredential(made.credential.id),
      dead: await store.getCredential(made.dead.id),
      living: await store.getIntegration(made.living.id),
      ill: await store.getIntegration(made.ill.id),
      sessions: await Promise.all(made.sessions.map(({ id }) => store.getSession(id))),
      subscriptions: [await store.getSubscription(made.living.id), await store.getSubscription(made.ill.id)],
      deliveries: await store.listDeliveries(made.living.id, {}, { limit: 100, after: null }),
      found: await store.findIntegrationsByCredentialId(made.credential.id, { limit: 100, after: null }),
      causes: await store.findIntegrationsByCauseCredentialId(made.dead.id, { limit: 100, after: null }),
    });
    const before = await within(postgres.url, store => read(store)());
    expect(await within(target, store => read(store)())).toEqual(before);
    expect(before.ill?.state.causes).toEqual([causeOf(made.dead.id)]);

    const back = await createTestDatabase();
    const again = await exportTo(target, 'back.jsonl');
    expect(again.end.checksum).toBe(there.end.checksum);
    expect(readFileSync(again.file, 'utf8')).toBe(readFileSync(there.file, 'utf8'));
    await importFrom(back.url, again.file);
    expect(await within(back.url, store => read(store)())).toEqual(before);

    // Later grants and deliveries get later numbers, there as well.
    for (const url of [target, back.url]) {
      await within(url, async store => {
        const { grantSequence } = await sessionIn(store, 'exchanged');
        expect(grantSequence).toBeGreaterThan(made.sessions[3]?.grantSequence ?? 0);
        expect(await store.replaceGrant(made.credential.id, 1, grantOf(9), noon)).toMatchObject({ generation: 2 });
        await store.becomeConsumer(made.living.id, 'run/2', one);
        const lot = await claimLot(store, made.living.id, { claim: 'run/2', order: 'none' });
        expect(lot.map(({ id }) => id)).toEqual([before.deliveries.rows[3]?.id]);
      });
    }
    await back.drop();
  });

  it('moves a delivery that somebody holds as one that its holder lost', async () => {
    for (const source of [await newMongo(), postgres.url]) {
      const integrationId = newIntegration();
      await within(source, async store => {
        await insertSome(store, integrationId, 1);
        await store.becomeConsumer(integrationId, 'run/1', one);
        expect(await claimLot(store, integrationId)).toHaveLength(1);
      });
      const { file } = await exportTo(source, 'held.jsonl');
      const target = await newMongo();
      await importFrom(target, file);
      await within(target, async store => {
        await store.becomeConsumer(integrationId, 'run/9', one);
        expect(await claimLot(store, integrationId, { claim: 'run/9' })).toMatchObject([{ suspect: true }]);
      });
    }
  });

  it('can be interrupted and run again, and leaves what is there', async () => {
    const source = await newMongo();
    await within(source, fill);
    const { file, end } = await exportTo(source, 'restart.jsonl');
    const target = await newMongo();
    const records = await openRecords({ databaseUrl: target });
    let writes = 0;
    const interrupted = {
      ...records,
      write: async (...given: Parameters<typeof records.write>) => {
        writes += 1;
        if (writes === 3) throw new Error('interrupted');
        return records.write(...given);
      },
    };
    await expect(importRecords(interrupted, file)).rejects.toThrow('interrupted');
    await records.close();
    expect(await importFrom(target, file)).toEqual(end);
    expect(await importFrom(target, file)).toEqual(end);
    await within(target, store => store.check());
  });

  it('writes one line for each record, whatever a reader takes for the end of a line, and reads older files', async () => {
    const source = await newMongo();
    await within(source, fill);
    const { file, end } = await exportTo(source, 'lines.jsonl');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('\\u2028');
    expect(text).not.toMatch(/[\u2028\u2029]/);
    const older = join(folder, 'older.jsonl');
    writeFileSync(older, text.replaceAll('\\u2028', '\u2028').replaceAll('\\u2029', '\u2029'));
    expect(await importFrom(await newMongo(), older)).toEqual(end);
  });

  it('is not taken for done when it was interrupted, and what comes later gets later numbers even then', async () => {
    const source = await newMongo();
    await within(source, fill);
    const integrationId = newIntegration();
    await within(source, store => insertSome(store, integrationId, 3));
    const credential = await within(source, async store =>
      insertCredential(store, newUser(), (await sessionIn(store, 'exchanged')).grantSequence ?? 0),
    );
    const { file, end } = await exportTo(source, 'unfinished.jsonl');
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      const records = await openRecords({ databaseUrl: target });
      for (const step of ['write', 'endImport'] as const) {
        const killed = { ...records, [step]: () => Promise.reject(new Error('killed')) };
        await expect(importRecords(killed, file)).rejects.toThrow('killed');
        await within(target, store =>
          expect(store.check()).rejects.toMatchObject({ code: 'import_unfinished', retryable: true }),
        );
        await records.raiseCounters({ grants: 1, deliveries: 1 });
        expect(await records.readCounters()).toEqual(end.counters);
      }
      await records.close();
      await within(target, async store => {
        const { grantSequence } = await sessionIn(store, 'exchanged');
        expect(await store.replaceGrant(credential.id, 1, grantOf(grantSequence ?? 0), noon)).not.toBeNull();
        const [newest] = await insertSome(store, integrationId, 1);
        await store.becomeConsumer(integrationId, 'run/9', one);
        const lot = await claimLot(store, integrationId, { claim: 'run/9' });
        expect(lot).toHaveLength(4);
        expect(lot.at(-1)?.id).toBe(newest);
      });
    }
    await empty.drop();
  });

  it('exports nothing from a store that is written to meanwhile', async () => {
    for (const source of [await newMongo(), postgres.url]) {
      const credential = await within(source, store => insertCredential(store, newUser()));
      const file = join(folder, `live-${source.split(':', 1)[0] ?? ''}.jsonl`);
      const records = await openRecords({ databaseUrl: source });
      // Between the pages of credentials and those of entities: one kind was read, the other is not yet.
      const during = (write: (store: Store) => Promise<unknown>) => {
        let done = false;
        const read: typeof records.read = async (kind, after) => {
          if (kind === 'entities' && !done) {
            done = true;
            await within(source, write);
          }
          return records.read(kind, after);
        };
        return expect(writeTransferFile({ ...records, read }, file)).rejects.toMatchObject({
          code: 'invalid_request',
          detail: expect.stringMatching(/was written to while it was exported/) as string,
        });
      };
      await during(store => insertEntity(store, newUser()));
      await during(store => store.recordCredentialTest(credential.id, { outcome: 'ok', generation: 1, at: noon }));
      await during(store => sessionIn(store, 'exchanged'));
      expect(readdirSync(folder).filter(name => name.startsWith('live-'))).toEqual([]);
      await records.close();
    }
  });

  it('refuses a record that refers to none, out of a store and out of a file', async () => {
    const source = await newMongo();
    const entity = await within(source, async store => insertEntity(store, newUser()));
    const told = `entity ${entity.id} refers to ${entity.credentialId}, which is not among the credentials`;
    const { file, end } = await exportTo(source, 'references.jsonl');
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter(text => !text.includes('"kind":"credentials"'));
    const summer = new RecordSummer();
    for (const text of lines) {
      const [, kind, record] = /^{"kind":"(\w+)","record":(.*)}$/.exec(text) ?? [];
      if (record !== undefined) summer.add({ kind: kind as RecordKind, canonical: record });
    }
    const cut = { ...end, ...summer.end() };
    writeFileSync(file, `${lines.slice(0, -2).join('\n')}\n${JSON.stringify({ end: cut })}\n`);
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      await expect(importFrom(target, file)).rejects.toMatchObject({ code: 'invalid_request', detail: told });
      await within(target, store => store.check());
    }
    await empty.drop();

    const client = new MongoClient(source);
    await client.db().collection('credentials').deleteMany({});
    await client.close();
    await expect(exportTo(source, 'nothing.jsonl')).rejects.toMatchObject({ code: 'invalid_request', detail: told });
  });

  it('fills in what an older document leaves out, and leaves behind what no version of it has', async () => {
    const source = await newMongo();
    const made = await within(source, fill);
    const client = new MongoClient(source);
    const change = async (collection: string, fields: readonly string[]) => {
      const $unset = Object.fromEntries(fields.map(field => [field, '']));
      await client
        .db()
        .collection(collection)
        .updateMany({}, { $unset, $set: { unknownField: { a: 1 } } });
    };
    await change('credentials', ['kind', 'refreshTry', 'refreshPosts', 'refreshDueAt', 'grantWarnAt']);
    await change('integrations', ['resumeSince']);
    await change('deliveries', ['detail']);
    await change('subscriptions', ['dueAt']);
    const { file, end } = await exportTo(source, 'older-documents.jsonl');
    const empty = await createTestDatabase();
    for (const target of [await newMongo(), empty.url]) {
      expect(await importFrom(target, file)).toEqual(end);
      const credential = (store: Store) => store.getCredential(made.credential.id);
      expect(await within(target, credential)).toEqual(await within(source, credential));
    }
    await empty.drop();
    await client
      .db()
      .collection('credentials')
      .updateOne({}, { $set: { authIsValid: 'perhaps' } });
    await client.close();
    await expect(exportTo(source, 'unreadable.jsonl')).rejects.toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(/^credentials cred_\w+ cannot be read: authIsValid: /) as string,
    });
  });

  it('names the record that a database refuses, without what it holds', async () => {
    const source = await newMongo();
    const { dead } = await within(source, fill);
    const empty = await createTestDatabase();
    const records = await openRecords({ databaseUrl: source });
    const read: typeof records.read = async (kind, after) => {
      const found = await records.read(kind, after);
      return found.map(record => (record['id'] === dead.id ? { ...record, kind: undefined } : record));
    };
    const file = join(folder, 'refused.jsonl');
    await writeTransferFile({ ...records, read }, file).finally(() => records.close());
    const refusal: unknown = await importFrom(empty.url, file).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringMatching(new RegExp(`^credentials ${dead.id} cannot be written: .*"kind"`)) as string,
    });
    expect(String(refusal)).not.toContain(dead.sealedTokens);
    await empty.drop();
  });

  it('refuses a database with other records, and a file that is cut or changed, before anything is written', async () => {
    const source = await newMongo();
    await within(source, fill);
    const { file } = await exportTo(source, 'whole.jsonl');
    const refusals = async (target: string, of: string, told: RegExp) =>
      expect(importFrom(target, of)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(told) as string,
      });

    const other = await newMongo();
    const stranger = await within(other, store => insertCredential(store, newUser()));
    await refusals(other, file, new RegExp(`credentials ${stranger.id}`));
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const empty = await newMongo();
    const broken = join(folder, 'broken.jsonl');
    writeFileSync(broken, `${lines.slice(0, -1).join('\n')}\n`);
    await refusals(empty, broken, /its last line is missing/);
    writeFileSync(broken, [...lines.slice(1)].join('\n'));
    await refusals(empty, broken, /was changed since it was exported/);
    writeFileSync(broken, 'not a line\n');
    appendFileSync(broken, lines.join('\n'));
    await refusals(empty, broken, /line 1 of .* is not of an export/);
    for (const schema of ['99990101000000_later', undefined]) {
      const end = lines.at(-1)?.replace(/"schema":"(\w+)"/, schema === undefined ? '"x":1' : `"schema":"${schema}"`);
      writeFileSync(broken, [...lines.slice(0, -1), end].join('\n'));
      await refusals(empty, broken, new RegExp(`exported by a release with the schema ${schema ?? 'an older one'}, `));
    }
    const left = await within(empty, store => store.findAnyCredential());
    expect(left).toBeNull();
    expect(await within(empty, store => store.getSession(newId('session')))).toBeNull();
  });
});

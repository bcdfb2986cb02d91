import type { ExternalId } from '../../src/domain/ids.js';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDocumentdbProxy } from '../../src/embedded/mongo/start-documentdb-proxy.js';
import type { WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { newId } from '../../src/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { migrateStore, openRecords, openStore } from '../../src/store/open-store.js';
import { importRecords } from '../../src/store/transfer/import-records.js';
import { writeTransferFile } from '../../src/store/transfer/transfer-file.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import { claimLot, failed, insertSome, one, retry, succeeded } from './delivery-fixtures.js';
import {
  deadBecauseOf,
  insertCredential,
  insertEntity,
  insertIntegration,
  later,
  newUser,
  noon,
  ready,
  sessionIn,
} from './fixtures.js';

/** Something of everything, in every form that a record has. */
export async function fill(store: Store) {
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
  const proven = { externalId: 'a' as ExternalId, credentialExternalId: 'b' as ExternalId, name: 'Acme ☃\u2028' };
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

export type MongoProfile = 'mongodb' | 'documentdb';

/** A PostgreSQL, a MongoDB and a folder for the tests of one describe, and the ways between them. */
export function useTransfer(profile: MongoProfile = 'mongodb') {
  let postgres: TestDatabase;
  let mongo: TestMongo;
  const proxies: WireProxy[] = [];
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'relink-transfer-'));
    [postgres, mongo] = await Promise.all([createTestDatabase(), startTestMongo()]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await postgres.drop();
    for (const proxy of proxies) await proxy.close();
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
    const plain = mongo.newDatabase();
    const url = profile === 'mongodb' ? plain : await narrow(plain);
    await migrateStore(url);
    return url;
  }
  /** The same database on the documentdb profile, behind a proxy that refuses what is outside Amazon's list. */
  async function narrow(plain: string): Promise<string> {
    const proxy = await startDocumentdbProxy(targetOf(plain));
    proxies.push(proxy);
    return throughProxy(plain, proxy, { relinkProfile: 'documentdb', tls: 'false' });
  }
  return {
    within,
    exportTo,
    importFrom,
    newMongo,
    postgresUrl: () => postgres.url,
    pathOf: (name: string) => join(folder, name),
    filesOf: (prefix: string) => readdirSync(folder).filter(name => name.startsWith(prefix)),
  };
}

import type { IntegrationType } from '../../src/domain/ids.js';
import { Client } from 'pg';
import { newId } from '../../src/ids.js';
import { createPostgresStore } from '../../src/store/postgres/create-postgres-store.js';
import { openPostgresRecords } from '../../src/store/postgres/transfer-records.js';
import type { Store } from '../../src/store/port/store.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.js';
import {
  attio,
  grantOf,
  insertCredential,
  insertEntity,
  newExternalId,
  newUser,
  noon,
  sessionIn,
  ready,
} from './fixtures.js';
import { insertSome, newIntegration, one } from './delivery-fixtures.js';

const unavailable = { name: 'RelinkError', code: 'database_unavailable', retryable: true, status: 503 };

let database: TestDatabase;
let proxy: CuttableProxy;
let store: Store;
let admin: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startCuttableProxy(database.url);
  store = createPostgresStore({ databaseUrl: proxy.url });
  admin = new Client({ connectionString: database.url });
  await admin.connect();
});

afterEach(() => proxy.mend());

afterAll(async () => {
  await store.close();
  await admin.end();
  await proxy.close();
  await database.drop();
});

/** Ends the store's connections on the server, the way a restart or an administrator does. */
async function terminateBackends(): Promise<number> {
  const { rowCount } = await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'relink'`,
  );
  return rowCount ?? 0;
}

/** Waits until a statement of the store waits for a lock. */
async function untilBlocked(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    // Within a transaction the view shows what it did at first.
    await admin.query('SELECT pg_stat_clear_snapshot()');
    const { rows } = await admin.query(
      `SELECT 1 FROM pg_stat_activity 
        WHERE datname = current_database() AND application_name = 'relink' AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('no statement of the store waits for a lock');
}

const calls: [string, () => Promise<unknown>][] = [
  ['check', () => store.check()],
  ['a read', () => store.getSession(newId('session'))],
  ['a list', () => store.listCredentials(newUser(), { limit: 10, after: null })],
  ['a conditional write', () => store.claimSession(newId('session'), noon)],
  ['a raw write that returns', () => store.sealGrant(newId('session'), 'grant', noon)],
  [
    'a raw write',
    () =>
      store.upsertEntity(
        {
          ...{ id: newId('entity'), userId: newUser(), provider: attio, externalId: newExternalId() },
          ...{ name: null, credentialId: newId('credential'), grantSequence: 1 },
        },
        noon,
      ),
  ],
  [
    'an insert',
    () =>
      store.insertCredential(
        { id: newId('credential'), userId: newUser(), provider: attio, externalId: newExternalId() },
        grantOf(1),
        noon,
      ),
  ],
  ['a delete', () => store.deleteIntegration(newId('integration'))],
];

describe('a database that is gone', () => {
  it.each(calls)('makes %s fail as database_unavailable, at once, and the store recovers', async (_name, call) => {
    await store.check();
    await proxy.cut();
    const started = Date.now();
    await expect(call()).rejects.toMatchObject(unavailable);
    await expect(call()).rejects.toMatchObject(unavailable);
    expect(Date.now() - started).toBeLessThan(2_000);
    await proxy.mend();
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('is waited for 5 seconds when it accepts connections and says nothing', async () => {
    await proxy.cut();
    await proxy.mend();
    proxy.silence();
    const started = Date.now();
    await expect(store.check()).rejects.toMatchObject(unavailable);
    expect(Date.now() - started).toBeGreaterThan(4_000);
    expect(Date.now() - started).toBeLessThan(8_000);
    await proxy.mend();
    await expect(store.check()).resolves.toBeUndefined();
  });

  it.each([
    ['a closed port', (url: URL) => (url.port = '1')],
    ['a host that does not exist', (url: URL) => (url.hostname = 'no-such-host.invalid')],
    ['a database that does not exist', (url: URL) => (url.pathname = '/no_such_database')],
  ])('is database_unavailable at start-up too: %s', async (_name, change) => {
    const url = new URL(database.url);
    change(url);
    const other = createPostgresStore({ databaseUrl: url.href });
    await expect(other.check()).rejects.toMatchObject(unavailable);
    await other.close();
  });
});

describe('a connection that is lost', () => {
  it('while idle is replaced without an error that nobody handles', async () => {
    await Promise.all(Array.from({ length: 10 }, () => store.check()));
    expect(await terminateBackends()).toBeGreaterThan(0);
    await new Promise(resolve => setTimeout(resolve, 100));
    await expect(store.check()).resolves.toBeUndefined();
  });

  it('while idle is replaced for an export or import too', async () => {
    const records = openPostgresRecords({ databaseUrl: proxy.url });
    await records.readCounters();
    expect(await terminateBackends()).toBeGreaterThan(0);
    await new Promise(resolve => setTimeout(resolve, 100));
    await expect(records.readCounters()).resolves.toMatchObject({ grants: expect.any(Number) as number });
    await records.close();
  });

  it('in the middle of a write gives database_unavailable, leaves the row, and the write can be repeated', async () => {
    const { id } = await sessionIn(store, 'exchanging');
    await admin.query('BEGIN');
    await admin.query('SELECT 1 FROM authorization_sessions WHERE id = $1 FOR UPDATE', [id]);
    const sealing = expect(store.sealGrant(id, 'grant', noon)).rejects.toMatchObject(unavailable);
    await untilBlocked();
    await terminateBackends();
    await sealing;
    await admin.query('ROLLBACK');
    expect(await store.getSession(id)).toMatchObject({ state: 'exchanging', sealedGrant: null });
    expect(await store.sealGrant(id, 'grant', noon)).toMatchObject({ state: 'exchanged', sealedGrant: 'grant' });
  });

  it('among many writes at once loses none that was answered', async () => {
    const userId = newUser();
    const { id: entityId } = await insertEntity(store, userId);
    const ids = Array.from({ length: 60 }, () => newId('integration'));
    const results = ids.map(async (id, index) => {
      if (index === 30) await terminateBackends();
      const type = `type-${index}` as IntegrationType;
      return store.insertIntegration({ id, userId, type, entityIds: [entityId], config: {}, state: ready }, noon);
    });
    for (const [index, result] of (await Promise.allSettled(results)).entries()) {
      const stored = await store.getIntegration(ids[index]!);
      if (result.status === 'fulfilled') expect(stored).toEqual(result.value.integration);
      else expect(result.reason).toMatchObject(unavailable);
    }
  });
});

describe('a server that cannot serve this now', () => {
  /** For new connections: the old ones end, and the store has heard of it. */
  async function setForDatabase(setting: string): Promise<void> {
    const database = new URL(proxy.url).pathname.slice(1);
    await admin.query(`ALTER DATABASE "${database}" ${setting}`);
    await terminateBackends();
    await new Promise(resolve => setTimeout(resolve, 100));
  }

  it('because it is no primary any more refuses writes as database_unavailable, and they work on the next one', async () => {
    const credential = await insertCredential(store, newUser());
    const integrationId = newIntegration();
    const { id: sessionId } = await sessionIn(store, 'exchanging');
    const writes = [
      () => store.replaceGrant(credential.id, credential.epoch, grantOf(2), noon),
      () => store.sealGrant(sessionId, 'grant', noon),
      () => insertSome(store, integrationId, 1),
    ];
    await setForDatabase('SET default_transaction_read_only = on');
    try {
      for (const write of writes) await expect(write()).rejects.toMatchObject(unavailable);
      expect(await store.getCredential(credential.id)).toEqual(credential);
    } finally {
      await setForDatabase('RESET default_transaction_read_only');
    }
    for (const write of writes) expect(await write()).not.toBeNull();
  });

  it.each([
    ['is starting up', '57P03'],
    ['shuts down', '57P01'],
    ['has no connection left', '53300'],
    ['has no memory left', '53200'],
  ])('because it %s is database_unavailable (SQLSTATE %s)', async (_name, sqlState) => {
    // The server's own refusal of a database that is not there, under another code.
    proxy.alterAnswers(bytes => Buffer.from(bytes.toString('latin1').replace('C3D000', `C${sqlState}`), 'latin1'));
    const url = new URL(proxy.url);
    url.pathname = '/no_such_database';
    const other = createPostgresStore({ databaseUrl: url.href });
    await expect(other.check()).rejects.toMatchObject(unavailable);
    await expect(insertSome(other, newIntegration(), 1)).rejects.toMatchObject(unavailable);
    await other.close();
  });

  it('because two writers wait for each other makes one give way with write_conflict, which changed nothing', async () => {
    const integrationId = newIntegration();
    const ids = await insertSome(store, integrationId, 2);
    // Each looks once, so long after it began to wait: the store's statement first, and when both wait; so it gives way.
    await setForDatabase(`SET deadlock_timeout = '4s'`);
    await admin.query(`BEGIN; SET LOCAL deadlock_timeout = '30s'`);
    await admin.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [ids[1]]);
    const discard = () => store.discardDeliveries(integrationId, { ids }, 'discarded_by_hand', one);
    const refused = expect(discard()).rejects.toMatchObject({ code: 'write_conflict', retryable: true });
    await untilBlocked();
    await admin.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [ids[0]]);
    await refused;
    await admin.query('ROLLBACK');
    await setForDatabase('RESET deadlock_timeout');
    expect(await discard()).toBe(2);
  });
});

describe('a statement that takes too long', () => {
  let impatient: Store;
  beforeAll(() => {
    impatient = createPostgresStore({ databaseUrl: proxy.url, poolSize: 1, statementTimeoutMs: 500 });
  });
  afterAll(() => impatient.close());

  it('is ended by the server and leaves the connection usable', async () => {
    const credential = await insertCredential(impatient, newUser());
    await admin.query('BEGIN');
    await admin.query('SELECT 1 FROM credentials WHERE id = $1 FOR UPDATE', [credential.id]);
    const started = Date.now();
    await expect(impatient.replaceGrant(credential.id, 1, grantOf(2), noon)).rejects.toMatchObject(unavailable);
    expect(Date.now() - started).toBeGreaterThanOrEqual(450);
    expect(Date.now() - started).toBeLessThan(4_000);
    await admin.query('ROLLBACK');
    expect(await impatient.getCredential(credential.id)).toEqual(credential);
  });

  it('is given up by the client 5 seconds later when the network fell silent meanwhile', async () => {
    await impatient.check();
    proxy.silence();
    const started = Date.now();
    await expect(impatient.getCredential(newId('credential'))).rejects.toMatchObject(unavailable);
    expect(Date.now() - started).toBeGreaterThan(5_000);
    expect(Date.now() - started).toBeLessThan(8_000);
    await proxy.mend();
    await expect(impatient.check()).resolves.toBeUndefined();
  });
});

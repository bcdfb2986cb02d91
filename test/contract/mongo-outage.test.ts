import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startWireProxy, type Verdict, type WireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { newId } from '../../src/ids.js';
import type { Store } from '../../src/store/port/store.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { explainMongoError } from '../../src/store/mongo/explain-mongo-error.js';
import { migrateMongo, schemaChanges } from '../../src/store/mongo/migrate.js';
import { openMongoRecords } from '../../src/store/mongo/transfer-records.js';
import { ConfigError } from '../../src/errors.js';
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.js';
import { describeOnMongo, startTestMongo, type TestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import { claimLot, deliveryOf, insertSome, newIntegration, one, succeeded } from './delivery-fixtures.js';
import { insertCredential, grantOf, newUser, noon } from './fixtures.js';

// The first run builds the server.
jest.setTimeout(300_000);

const unavailable = { name: 'RelinkError', code: 'database_unavailable', retryable: true, status: 503 };

describeOnMongo('mongo on bad days', () => {
  let mongo: TestMongo;
  let databaseUrl: string;
  beforeAll(async () => {
    mongo = await startTestMongo();
    databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
  });
  afterAll(() => mongo.stop());

  describe('a database that goes away and comes back', () => {
    let proxy: CuttableProxy;
    let proxied: string;
    let store: Store;
    beforeAll(async () => {
      proxy = await startCuttableProxy(databaseUrl);
      proxied = throughProxy(databaseUrl, targetOf(proxy.url));
      store = createMongoStore({ databaseUrl: proxied, silenceMs: 1_000 });
    });
    afterAll(async () => {
      await store.close();
      await proxy.close();
    });

    it('is database_unavailable for as long, and then works again by itself', async () => {
      await store.check();
      await proxy.cut();
      const calls = [
        () => store.check(),
        () => store.getSession(newId('session')),
        () => store.claimSession(newId('session'), noon),
        () => store.listCredentials(newUser(), { limit: 10, after: null }),
        () => store.deleteIntegration(newId('integration')),
      ];
      const started = Date.now();
      for (const result of await Promise.allSettled(calls.map(call => call()))) {
        expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
      }
      expect(Date.now() - started).toBeLessThan(8_000);
      await proxy.mend();
      await expect(store.check()).resolves.toBeUndefined();
    });

    it('that is found out about only while a command is written fails the command, and hangs none', async () => {
      const sockets: Socket[] = [];
      const note = (message: unknown) => {
        const { socket } = z.object({ socket: z.instanceof(Socket) }).parse(message);
        sockets.push(socket);
      };
      subscribe('net.client.socket', note);
      const fresh = createMongoStore({ databaseUrl: proxied });
      await Promise.all(Array.from({ length: 5 }, () => fresh.getSession(newId('session'))));
      unsubscribe('net.client.socket', note);
      expect(sockets.length).toBeGreaterThan(1);
      // Destroyed, and nobody has heard of it yet: what is written to it now is never drained.
      for (const socket of sockets) socket.destroy();
      const calls = Array.from({ length: sockets.length }, () => fresh.getSession(newId('session')));
      const late = sleep(5_000, 'hangs' as const, { ref: false });
      const settled = Promise.allSettled(calls).then(() => 'settled' as const);
      expect(await Promise.race([settled, late])).toBe('settled');
      await fresh.close();
    });

    it('that leaves one command unanswered, and nothing else, is given up on after a time', async () => {
      const wire = await startWireProxy(targetOf(databaseUrl), command =>
        command['find'] === 'authorization_sessions' ? new Promise<never>(() => undefined) : 'pass',
      );
      const patient = createMongoStore({ databaseUrl: throughProxy(databaseUrl, wire), silenceMs: 1_000 });
      await patient.check();
      const failure = patient.getSession(newId('session')).catch((error: unknown) => error);
      const late = sleep(8_000, 'hangs' as const, { ref: false });
      expect(await Promise.race([failure, late])).toMatchObject(unavailable);
      await patient.close();
      await wire.close();
    });

    it('that fell silent is given up on after a time', async () => {
      await store.check();
      proxy.silence();
      await expect(store.getSession(newId('session'))).rejects.toMatchObject(unavailable);
      await proxy.mend();
      await expect(store.check()).resolves.toBeUndefined();
    });
  });

  describe('a connection that is cut around one write', () => {
    let verdict: (command: Record<string, unknown>) => Verdict = () => 'pass';
    let proxy: WireProxy;
    let store: Store;
    let plain: Store;
    const cutOnce = (name: string, how: 'cut' | 'pass and cut') => {
      verdict = command => {
        if (Object.keys(command)[0] !== name) return 'pass';
        verdict = () => 'pass';
        return how;
      };
    };
    beforeAll(async () => {
      proxy = await startWireProxy(targetOf(databaseUrl), command => verdict(command));
      const settings = { relinkProfile: 'documentdb', tls: 'false' };
      store = createMongoStore({ databaseUrl: throughProxy(databaseUrl, proxy, settings) });
      plain = createMongoStore({ databaseUrl });
    });
    afterAll(async () => {
      await store.close();
      await plain.close();
      await proxy.close();
    });

    it('while deliveries are claimed: the successor gets all of them, none is handed out twice', async () => {
      const integrationId = newIntegration();
      const ids = await insertSome(plain, integrationId, 6);
      await store.becomeConsumer(integrationId, 'run/1', one);
      cutOnce('update', 'pass and cut');
      const claim = { integrationId, claim: 'run/1', order: 'arrival', limit: 4, now: one } as const;
      await expect(store.claimDeliveries(claim)).rejects.toMatchObject(unavailable);
      await store.becomeConsumer(integrationId, 'run/2', one);
      const seen: string[] = [];
      for (;;) {
        const lot = await claimLot(store, integrationId, { claim: 'run/2' });
        if (lot.length === 0) break;
        seen.push(...lot.map(({ id }) => id));
        const ends = lot.map(({ id }) => succeeded(id));
        expect(await store.finishDeliveries(integrationId, 'run/2', ends, one)).toEqual([]);
      }
      expect(seen).toEqual(ids);
    });

    it('while one of several messages of many deliveries is sent: none is told as stored that is not', async () => {
      const integrationId = newIntegration();
      // What one message holds is a matter of the driver: 24 MB are two.
      const sealedContent = 'x'.repeat(1_000_000);
      const rows = Array.from({ length: 24 }, () => deliveryOf(integrationId, { sealedContent }));
      await plain.insertDeliveries(rows.slice(0, 1));
      let messages = 0;
      verdict = command => {
        if (command['insert'] !== 'deliveries') return 'pass';
        messages += 1;
        return messages === 2 ? 'cut' : 'pass';
      };
      await expect(store.insertDeliveries(rows)).rejects.toMatchObject(unavailable);
      verdict = () => 'pass';
      expect(messages).toBe(2);
      expect(new Set((await store.insertDeliveries(rows)).map(({ outcome }) => outcome))).toEqual(
        new Set(['duplicate', 'stored']),
      );
      for (const { id } of rows) expect(await plain.getDelivery(integrationId, id)).not.toBeNull();
    });

    it.each([
      ['a primary that steps down', 'NotWritablePrimary', 10_107],
      ['a primary that shuts down', 'InterruptedAtShutdown', 11_600],
    ])('by %s is database_unavailable, and the next one works', async (_name, codeName, code) => {
      verdict = command => {
        if (Object.keys(command)[0] !== 'findAndModify') return 'pass';
        verdict = () => 'pass';
        return { reply: { ok: 0, errmsg: 'not primary', code, codeName } };
      };
      const known = await insertCredential(plain, newUser());
      await expect(store.replaceGrant(known.id, 1, grantOf(2), noon)).rejects.toMatchObject(unavailable);
      expect(await store.replaceGrant(known.id, 1, grantOf(2), noon)).toMatchObject({ generation: 2 });
    });
  });

  describe('a server that is in trouble', () => {
    let reply: ((command: Record<string, unknown>) => Record<string, unknown> | null) | undefined;
    let proxy: WireProxy;
    const stores: Store[] = [];
    const open = (profile: string) => {
      const settings = { relinkProfile: profile, tls: 'false' };
      const store = createMongoStore({ databaseUrl: throughProxy(databaseUrl, proxy, settings) });
      stores.push(store);
      return store;
    };
    beforeAll(async () => {
      proxy = await startWireProxy(targetOf(databaseUrl), command => {
        const answer = reply?.(command) ?? null;
        return answer === null ? 'pass' : { reply: answer };
      });
    });
    afterEach(() => (reply = undefined));
    afterAll(async () => {
      for (const store of stores) await store.close();
      await proxy.close();
    });

    it.each<[string, Record<string, unknown>]>([
      ['steps down in the middle of it', { writeErrors: [{ index: 1, code: 11_602, errmsg: 'interrupted' }] }],
      ['has no more room', { writeErrors: [{ index: 1, code: 14_031, errmsg: 'disk full' }] }],
      ['reaches no majority', { writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } }],
    ])(
      'that %s answers database_unavailable for many writes, also if one was there already',
      async (_name, trouble) => {
        const store = open('documentdb');
        const rows = [deliveryOf(newIntegration()), deliveryOf(newIntegration())];
        const known = { index: 0, code: 11_000, errmsg: 'E11000 duplicate key error' };
        const { writeErrors = [], ...rest } = trouble as { writeErrors?: object[] };
        for (const errors of [[known, ...writeErrors], writeErrors]) {
          const also = errors.length === 0 ? {} : { writeErrors: errors };
          reply = command => (command['insert'] === 'deliveries' ? { ok: 1, n: 0, ...rest, ...also } : null);
          await expect(store.insertDeliveries(rows)).rejects.toMatchObject(unavailable);
        }
        reply = undefined;
        expect((await store.insertDeliveries(rows)).map(({ outcome }) => outcome)).toEqual(['stored', 'stored']);
      },
    );

    it.each([
      [9, 'FailedToParse', false],
      [72, 'InvalidOptions', false],
      [115, 'CommandNotSupported', false],
      [121, 'DocumentValidationFailure', false],
      [10_107, 'NotWritablePrimary', true],
      [11_600, 'InterruptedAtShutdown', true],
    ])('that refuses many writes at once is judged by its code %i (%s)', async (code, codeName, isAway) => {
      reply = command => (command['insert'] === 'deliveries' ? { ok: 0, code, codeName, errmsg: codeName } : null);
      const told = isAway ? unavailable : { name: 'MongoBulkWriteError', code };
      await expect(open('documentdb').insertDeliveries([deliveryOf(newIntegration())])).rejects.toMatchObject(told);
    });

    it('that asks for another try in one of many writes answers write_conflict', async () => {
      const store = open('mongodb');
      const writeErrors = [
        { index: 0, code: 11_000, errmsg: 'E11000 duplicate key error' },
        { index: 1, code: 112, errmsg: 'WriteConflict' },
      ];
      reply = command => (command['insert'] === 'deliveries' ? { ok: 1, n: 0, writeErrors } : null);
      const rows = [deliveryOf(newIntegration()), deliveryOf(newIntegration())];
      await expect(store.insertDeliveries(rows)).rejects.toMatchObject({ code: 'write_conflict' });
    });

    it.each([
      [24, 'LockTimeout'],
      [43, 'CursorNotFound'],
      [46, 'LockBusy'],
      [202, 'NetworkInterfaceExceededTimeLimit'],
      [237, 'CursorKilled'],
      [14_031, 'OutOfDiskSpace'],
    ])('is database_unavailable by its code %i (%s)', async (code, codeName) => {
      reply = command => ('find' in command ? { ok: 0, code, codeName, errmsg: codeName } : null);
      await expect(open('mongodb').getSession(newId('session'))).rejects.toMatchObject(unavailable);
    });

    it('is database_unavailable where DocumentDB throttles writes, by a code that is another thing on MongoDB', async () => {
      reply = command => ('find' in command ? { ok: 0, code: 40, errmsg: 'writes are throttled' } : null);
      await expect(open('documentdb').getSession(newId('session'))).rejects.toMatchObject(unavailable);
      await expect(open('mongodb').getSession(newId('session'))).rejects.not.toMatchObject(unavailable);
      const settings = { relinkProfile: 'documentdb', tls: 'false' };
      const records = openMongoRecords({ databaseUrl: throughProxy(databaseUrl, proxy, settings) });
      await expect(records.read('credentials', [])).rejects.toMatchObject(unavailable);
      await records.close();
    });
  });

  describe('at a start', () => {
    const name = () => new URL(databaseUrl).pathname.slice(1);

    async function explain(url: string): Promise<readonly string[]> {
      const store = createMongoStore({ databaseUrl: url, silenceMs: 1_000 });
      const results = await Promise.allSettled([store.check(), migrateMongo(url)]);
      await store.close();
      const failures = results.map(result => result.status === 'rejected' && explainMongoError(result.reason, url));
      return failures.flatMap(failure => (failure instanceof ConfigError ? failure.problems : [String(failure)]));
    }

    it.each<[string, (url: URL) => void, () => string]>([
      [
        'a closed port',
        url => (url.port = '1'),
        () => `DATABASE_URL: nothing listens at ${new URL(databaseUrl).hostname}:1 (database "${name()}")`,
      ],
      [
        'a host that does not exist',
        url => (url.hostname = 'no-such-host.invalid'),
        () =>
          `DATABASE_URL: the host name no-such-host.invalid:${new URL(databaseUrl).port} cannot be resolved (database "${name()}")`,
      ],
      [
        'a replica set of another name',
        url => url.searchParams.set('replicaSet', 'none-such'),
        () =>
          `DATABASE_URL: ${new URL(databaseUrl).host} does not answer (database "${name()}"); does replicaSet= in the URL fit it?`,
      ],
    ])('%s is told in one line, by the variable, without the password', async (_name, change, told) => {
      const url = new URL(databaseUrl);
      change(url);
      expect(await explain(url.href)).toEqual([told(), told()]);
    });

    it('a user and password that the server refuses are told, without either', async () => {
      const refusal = { ok: 0, errmsg: 'Authentication failed.', code: 18, codeName: 'AuthenticationFailed' };
      const proxy = await startWireProxy(targetOf(databaseUrl), command =>
        'saslStart' in command ? { reply: refusal } : 'pass',
      );
      const url = new URL(throughProxy(databaseUrl, proxy, { authMechanism: 'SCRAM-SHA-256' }));
      url.username = 'nobody';
      url.password = 'hidden-password';
      const told = `DATABASE_URL: the server at ${url.host} refuses this user or password (database "${name()}")`;
      expect(await explain(url.href)).toEqual([told, told]);
      await proxy.close();
    });

    it('a server that is too old is told so', async () => {
      const old = { ok: 1, isWritablePrimary: true, minWireVersion: 0, maxWireVersion: 6, localTime: new Date() };
      const proxy = await startWireProxy(targetOf(databaseUrl), () => ({ reply: old }));
      const url = new URL(throughProxy(databaseUrl, proxy));
      const told = `DATABASE_URL: the server at ${url.host} is too old: MongoDB 4.4 or newer, Amazon DocumentDB 5.0 or newer`;
      expect(await explain(url.href)).toEqual([told, told]);
      await proxy.close();
    });

    it('a database that nobody migrated is told by what is pending', async () => {
      const store = createMongoStore({ databaseUrl: mongo.newDatabase() });
      const detail = `pending: ${schemaChanges.join(', ')}`;
      await expect(store.check()).rejects.toMatchObject({ code: 'database_not_migrated', detail });
      await store.close();
    });
  });
});

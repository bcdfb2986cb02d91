import { readFileSync, writeFileSync } from 'node:fs';
import type { Store } from '../../src/store/port/store.js';
import { openRecords } from '../../src/store/open-store.js';
import { importRecords } from '../../src/store/transfer/import-records.js';
import { recordKinds } from '../../src/store/transfer/records.js';
import { createTestDatabase } from '../support/create-test-database.js';
import { describeOnMongo } from '../support/start-test-mongo.js';
import { claimLot, insertSome, newIntegration, one } from './delivery-fixtures.js';
import { causeOf, grantOf, insertCredential, newUser, noon, sessionIn } from './fixtures.js';
import { fill, type MongoProfile, useTransfer } from './transfer-scene.js';

// The first run builds the server.
jest.setTimeout(300_000);

const profiles: readonly [string, MongoProfile][] = [
  ['MongoDB', 'mongodb'],
  ['the documentdb profile', 'documentdb'],
];

for (const [store, profile] of profiles)
  describeOnMongo(`moving between PostgreSQL and ${store}`, () => {
    const { within, exportTo, importFrom, newMongo, postgresUrl, pathOf } = useTransfer(profile);

    it('carries everything there and back again, to the byte, and each store works with it', async () => {
      const made = await within(postgresUrl(), fill);
      const there = await exportTo(postgresUrl(), 'there.jsonl');
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
      const before = await within(postgresUrl(), store => read(store)());
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
      for (const source of [await newMongo(), postgresUrl()]) {
        const integrationId = newIntegration();
        await within(source, async store => {
          await insertSome(store, integrationId, 1);
          await store.becomeConsumer(integrationId, 'run/1', one);
          expect(await claimLot(store, integrationId)).toHaveLength(1);
        });
        const { file } = await exportTo(source, 'held.jsonl');
        const empty = await createTestDatabase();
        for (const target of [await newMongo(), empty.url]) {
          await importFrom(target, file);
          await within(target, async store => {
            await store.becomeConsumer(integrationId, 'run/9', one);
            expect(await claimLot(store, integrationId, { claim: 'run/9' })).toMatchObject([{ suspect: true }]);
          });
        }
        await empty.drop();
      }
    });

    it('can be interrupted and run again, and leaves what is there', async () => {
      const source = await newMongo();
      await within(source, fill);
      const { file, end } = await exportTo(source, 'restart.jsonl');
      const empty = await createTestDatabase();
      for (const target of [await newMongo(), empty.url]) {
        const records = await openRecords({ databaseUrl: target });
        let writes = 0;
        const interrupted = {
          ...records,
          write: async (...given: Parameters<typeof records.write>) => {
            writes += 1;
            if (writes >= 3) throw new Error('interrupted');
            return records.write(...given);
          },
        };
        await expect(importRecords(interrupted, file)).rejects.toThrow('interrupted');
        await records.close();
        expect(await importFrom(target, file)).toEqual(end);
        expect(await importFrom(target, file)).toEqual(end);
        await within(target, store => store.check());
      }
      await empty.drop();
    });

    it('writes one line for each record, whatever a reader takes for the end of a line, and reads older files', async () => {
      const source = await newMongo();
      await within(source, fill);
      const { file, end } = await exportTo(source, 'lines.jsonl');
      const text = readFileSync(file, 'utf8');
      expect(text).toContain('\\u2028');
      expect(text).not.toMatch(/[\u2028\u2029]/);
      const older = pathOf('older.jsonl');
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
  });

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWireProxy } from '../../src/embedded/mongo/start-wire-proxy.js';
import { connectMongo } from '../../src/store/mongo/connect.js';
import { createMongoStore, openMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { indexes } from '../../src/store/mongo/define-indexes.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import { openMongoRecords } from '../../src/store/mongo/transfer-records.js';
import { importRecords } from '../../src/store/transfer/import-records.js';
import { writeTransferFile } from '../../src/store/transfer/transfer-file.js';
import type { CuttableProxy } from '../support/cuttable-proxy.js';
import { emptyMongo } from '../support/empty-mongo.js';
import { leaveOutFields } from '../support/leave-out-fields.js';
import { describeOnMongo, startTestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import { insertSome, newIntegration } from './delivery-fixtures.js';
import { insertEntity, insertIntegration, newUser } from './fixtures.js';
import { newUsage, noteUsage, readDocumented, watchUsage } from './mongo-usage.js';
import { describeStore } from './store-contract.js';

describeOnMongo('mongo', () => {
  const usage = newUsage();
  let empty: (() => Promise<void>) | undefined;
  afterEach(() => empty?.());

  describeStore('mongo', async () => {
    const mongo = await startTestMongo();
    const databaseUrl = mongo.newDatabase();
    await migrateMongo(databaseUrl);
    empty = () => emptyMongo(databaseUrl);
    const open = () => {
      const connection = connectMongo({ databaseUrl, monitorCommands: true });
      watchUsage(connection.client, usage);
      return openMongoStore(connection);
    };
    const stop = () => {
      empty = undefined;
      return mongo.stop();
    };
    const openBy = (wire: CuttableProxy) =>
      createMongoStore({ databaseUrl: throughProxy(databaseUrl, targetOf(wire.url)), silenceMs: 1_000 });
    return { open, openBy, databaseUrl, leaveOut: leaveOutFields(databaseUrl), stop };
  });

  // After the suite, which has called everything there is.
  describe('what the store sends', () => {
    it('is what the documents list, command by command and operator by operator', () => {
      const ofTheDriver = ['endSessions'];
      const sent = [...usage.commands].filter(name => !ofTheDriver.includes(name));
      expect(sent.sort()).toEqual(readDocumented('Commands'));
      expect([...usage.operators].sort()).toEqual(readDocumented('Operators'));
    });

    it('is what they list for a migration, an export and an import too', async () => {
      const [mongo, sent] = [await startTestMongo(), newUsage()];
      const proxy = await startWireProxy(targetOf(mongo.newDatabase()), command => {
        noteUsage(sent, Object.keys(command)[0] ?? '', command);
        return 'pass';
      });
      const [source, target] = [mongo.newDatabase(), mongo.newDatabase()];
      for (const databaseUrl of [source, target]) await migrateMongo(throughProxy(databaseUrl, proxy));
      const store = createMongoStore({ databaseUrl: source });
      const userId = newUser();
      await insertIntegration(store, userId, [(await insertEntity(store, userId)).id]);
      // More than one page of each.
      await insertSome(store, newIntegration(), 120);
      await store.close();
      const file = join(mkdtempSync(join(tmpdir(), 'relink-usage-')), 'records.jsonl');
      const from = openMongoRecords({ databaseUrl: throughProxy(source, proxy) });
      await writeTransferFile(from, file);
      const to = openMongoRecords({ databaseUrl: throughProxy(target, proxy) });
      await importRecords(to, file);
      await Promise.all([from.close(), to.close()]);
      await proxy.close();
      await mongo.stop();
      const greetings = ['hello', 'isMaster', 'ismaster', 'endSessions'];
      const commands = [...sent.commands].filter(name => !greetings.includes(name));
      expect(commands).toEqual(expect.arrayContaining(['collMod', 'createIndexes', 'insert']));
      expect(readDocumented('Commands of these')).toEqual(expect.arrayContaining(commands));
      expect(readDocumented('Operators of these')).toEqual(expect.arrayContaining([...sent.operators]));
    });

    it('asks for nothing that no index serves', () => {
      expect(usage.queries).toBeGreaterThan(1_000);
      expect([...usage.unserved]).toEqual([]);
    });

    it('rests on indexes with no option but a name and uniqueness', () => {
      const options = Object.values(indexes).flatMap(ofOne => ofOne.flatMap(index => Object.keys(index)));
      expect([...new Set(options)].sort()).toEqual(readDocumented('Index options'));
    });
  });
});

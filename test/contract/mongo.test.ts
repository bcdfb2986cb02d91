import { connectMongo } from '../../src/store/mongo/connect.js';
import { openMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { indexes } from '../../src/store/mongo/define-indexes.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import { emptyMongo } from '../support/empty-mongo.js';
import { describeOnMongo, startTestMongo } from '../support/start-test-mongo.js';
import { newUsage, readDocumented, watchUsage } from './mongo-usage.js';
import { describeStore } from './store-contract.js';

// The first run builds the server.
jest.setTimeout(20_000);

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
    return { open, stop };
  });

  // After the suite, which has called everything there is.
  describe('what the store sends', () => {
    it('is what the documents list, command by command and operator by operator', () => {
      const ofTheDriver = ['endSessions'];
      const sent = [...usage.commands].filter(name => !ofTheDriver.includes(name));
      expect(sent.sort()).toEqual(readDocumented('Commands'));
      expect([...usage.operators].sort()).toEqual(readDocumented('Operators'));
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

import { startDocumentdbProxy } from '../../src/embedded/mongo/start-documentdb-proxy.js';
import { connectMongo } from '../../src/store/mongo/connect.js';
import { createMongoStore } from '../../src/store/mongo/create-mongo-store.js';
import { migrateMongo } from '../../src/store/mongo/migrate.js';
import { emptyMongo } from '../support/empty-mongo.js';
import { leaveOutFields } from '../support/leave-out-fields.js';
import { describeOnMongo, startTestMongo } from '../support/start-test-mongo.js';
import { targetOf, throughProxy } from '../support/through-proxy.js';
import { describeStore } from './store-contract.js';

// The first run builds the server.
jest.setTimeout(300_000);

/** The profile on a server behind a proxy that refuses what is outside Amazon's list. */
async function startDocumentdb() {
  const mongo = await startTestMongo();
  const plain = mongo.newDatabase();
  const proxy = await startDocumentdbProxy(targetOf(plain));
  const databaseUrl = throughProxy(plain, proxy, { relinkProfile: 'documentdb', tls: 'false' });
  return {
    databaseUrl,
    stop: async () => {
      await proxy.close();
      await mongo.stop();
    },
  };
}

describeOnMongo('documentdb', () => {
  let empty: (() => Promise<void>) | undefined;
  afterEach(() => empty?.());

  describeStore('documentdb', async () => {
    const { databaseUrl, stop } = await startDocumentdb();
    await migrateMongo(databaseUrl);
    empty = () => emptyMongo(databaseUrl);
    return {
      open: () => createMongoStore({ databaseUrl }),
      openBy: wire =>
        createMongoStore({ databaseUrl: throughProxy(databaseUrl, targetOf(wire.url)), silenceMs: 1_000 }),
      databaseUrl,
      leaveOut: leaveOutFields(databaseUrl),
      stop: () => {
        empty = undefined;
        return stop();
      },
    };
  });

  describe('the proxy', () => {
    let server: Awaited<ReturnType<typeof startDocumentdb>>;
    let connection: ReturnType<typeof connectMongo>;
    beforeAll(async () => {
      server = await startDocumentdb();
      connection = connectMongo(server);
    });
    afterAll(async () => {
      await connection.client.close();
      await server.stop();
    });

    const refused = (what: string) => ({ code: 115, message: `Feature not supported: ${what}` });

    it('passes what Amazon has', async () => {
      const things = connection.db.collection('things');
      await things.insertMany([{ n: 1 }, { n: 2 }]);
      await things.updateOne({ n: { $gt: 1 } }, { $inc: { n: 1 } });
      expect(await things.countDocuments({ n: { $in: [1, 3] } })).toBe(2);
    });

    it.each<[string, () => Promise<unknown>]>([
      ['the operator $where', () => connection.db.collection('things').findOne({ $where: 'true' })],
      ['an update by a pipeline', () => connection.db.collection('things').updateOne({}, [{ $set: { n: 1 } }])],
      ['the operator $natural', () => connection.db.collection('things').findOne({ a: { $natural: 1 } })],
      [
        '$facet of a pipeline',
        () =>
          connection.db
            .collection('things')
            .aggregate([{ $facet: {} }])
            .toArray(),
      ],
      [
        '$sortByCount of a pipeline',
        () =>
          connection.db
            .collection('things')
            .aggregate([{ $sortByCount: '$n' }])
            .toArray(),
      ],
      ['capped of a collection', () => connection.db.command({ create: 'capped', capped: true, size: 4096 })],
      [
        'collation of an index',
        () => connection.db.collection('things').createIndex({ n: 1 }, { collation: { locale: 'en' } }),
      ],
      ['the command bulkWrite', () => connection.db.command({ bulkWrite: 1 })],
      [
        'the field collation of find',
        () => connection.db.collection('things').findOne({}, { collation: { locale: 'en' } }),
      ],
      [
        'retryable writes (txnNumber)',
        () => connection.db.command({ insert: 'things', documents: [{}], txnNumber: 1 }),
      ],
    ])('refuses %s', async (what, send) => {
      await expect(send()).rejects.toMatchObject(refused(what));
    });
  });
});

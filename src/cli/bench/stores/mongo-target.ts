import { connectMongo, openCollections } from '../../../store/mongo/connect.js';
import { createMongoStore } from '../../../store/mongo/create-mongo-store.js';
import { openMongoRecords } from '../../../store/mongo/transfer-records.js';
import { type BenchTarget, poolSize } from './contender.js';
import { fewPeople } from './sizes.js';
import { Scene } from './scene.js';
import { createSealing } from './sealing.js';

/** MongoDB and DocumentDB: the store, and the official driver as it comes; a pool each, with the same settings. */
export async function openMongoTarget(databaseUrl: string, people: number): Promise<BenchTarget> {
  const growsSlow = people === fewPeople;
  const store = createMongoStore({ databaseUrl, poolSize });
  const bare = connectMongo({ databaseUrl, poolSize });
  const collections = openCollections(bare.db);
  const records = openMongoRecords({ databaseUrl, poolSize: 2 });
  const sealing = createSealing();
  const scene = new Scene(store, records, sealing, growsSlow ? 4 : 20);
  await scene.addPeople(people);
  const last = scene.people.at(-1);
  const after = (id: string | undefined) => ({ _id: { $gt: id ?? '' } });
  return {
    scene,
    contenders: [
      { name: 'port', ready: (_, calls) => place => calls.port(store, place, sealing) },
      { name: 'bare', ready: (_, calls) => place => calls.mongo(collections, place, sealing) },
    ],
    growsSlow,
    clear: async () => {
      const { sessions, deliveries, consumers, tokenReads } = collections;
      for (const emptied of [sessions, deliveries, consumers, tokenReads]) await emptied.deleteMany({});
      const kept = last?.integrations.at(-1)?.id;
      await collections.subscriptions.deleteMany(after(kept));
      await collections.integrations.deleteMany(after(kept));
      await collections.entities.deleteMany(after(last?.entities.at(-1)?.id));
      await collections.credentials.deleteMany(after(last?.credentials.at(-1)?.id));
    },
    close: async () => {
      await Promise.all([store.close(), bare.client.close(), records.close()]);
    },
  };
}

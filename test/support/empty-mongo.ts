import { connectMongo, openCollections } from '../../src/store/mongo/connect.js';

/**
 * Takes all records out of a database and leaves its counters: after each case, since the embedded server answers most
 * queries by reading the whole collection.
 */
export async function emptyMongo(databaseUrl: string): Promise<void> {
  const { client, db } = connectMongo({ databaseUrl, poolSize: 1 });
  const { sessions, credentials, entities, integrations, deliveries, consumers, subscriptions, tokenReads } =
    openCollections(db);
  for (const collection of [
    sessions,
    credentials,
    entities,
    integrations,
    deliveries,
    consumers,
    subscriptions,
    tokenReads,
  ]) {
    await collection.deleteMany({});
  }
  await client.close();
}

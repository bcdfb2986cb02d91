import { connectMongo } from '../../../store/mongo/connect.js';

/** Removes what a benchmark put on a server that is not its own. */
export async function dropMongoDatabase(databaseUrl: string): Promise<void> {
  const { client, db } = connectMongo({ databaseUrl, poolSize: 1 });
  try {
    await db.dropDatabase();
  } finally {
    await client.close();
  }
}

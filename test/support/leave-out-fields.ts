import { connectMongo, openCollections } from '../../src/store/mongo/connect.js';
import type { LeaveOut } from '../contract/fixtures.js';

/** {@link LeaveOut} on MongoDB: the document no longer has these fields. */
export function leaveOutFields(databaseUrl: string): LeaveOut {
  return async (kind, id, fields) => {
    const { client, db } = connectMongo({ databaseUrl, poolSize: 1 });
    const collection = db.collection<{ _id: string }>(openCollections(db)[kind].collectionName);
    const unset = Object.fromEntries(fields.map(field => [field, 1] as const));
    const { matchedCount } = await collection.updateOne(
      { _id: id },
      { $unset: unset },
      // What an older version wrote was right by its own validators.
      { bypassDocumentValidation: true },
    );
    await client.close();
    expect(matchedCount).toBe(1);
  };
}

import type { Document } from 'mongodb';
import type { Documents } from './connect.js';
import { isDuplicateKey } from './map-mongo-error.js';

/** Whether it was not there; by the key, of any number of processes at once. */
export async function putOnce(collection: Documents, _id: string, fields: Document): Promise<boolean> {
  try {
    return (await collection.updateOne({ _id }, { $setOnInsert: fields }, { upsert: true })).upsertedCount > 0;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
}

import { Long, MongoServerError, type Db } from 'mongodb';
import { RelinkError } from '../../errors.js';
import { connectMongo, openCollections, type Collections } from './connect.js';
import { indexes } from './define-indexes.js';
import { validators } from './define-validators.js';
import { counterNames } from './draw-numbers.js';
import { toMongoStoreError } from './map-mongo-error.js';

/** What was changed, oldest first. A release that adds an index, a validator or a collection adds its name here. */
export const schemaChanges = ['20261125000000_init'] as const;

const namespaceExists = 48;
/** CommandNotFound, CommandNotSupported, NotImplemented: of servers that have no validators. */
const unsupported = new Set([59, 115, 238]);

/**
 * Brings collections, indexes, validators and counters to what this release needs, and returns the names of the changes
 * that were not there before. Every step says how things have to be and not what to do, so any number of processes may
 * call it at once, and one that was interrupted is made whole by the next call.
 *
 * @throws RelinkError `database_unavailable`; `migration_failed` when a step is refused, such as a unique index over
 *   documents that repeat its key.
 */
export async function migrateMongo(databaseUrl: string): Promise<{ applied: string[] }> {
  const { client, db } = connectMongo({ databaseUrl, poolSize: 1 });
  try {
    const collections = openCollections(db);
    for (const name of namesOf(indexes)) await prepare(db, collections, name);
    for (const _id of counterNames) {
      await collections.counters.updateOne({ _id }, { $setOnInsert: { value: Long.ZERO } }, { upsert: true });
    }
    const applied: string[] = [];
    for (const _id of schemaChanges) {
      const { upsertedCount } = await collections.migrations.updateOne(
        { _id },
        { $setOnInsert: { appliedAt: new Date() } },
        { upsert: true },
      );
      if (upsertedCount > 0) applied.push(_id);
    }
    return { applied };
  } catch (error) {
    const mapped = toMongoStoreError(error);
    if (mapped instanceof RelinkError) throw mapped;
    const detail = error instanceof Error ? error.message : String(error);
    throw new RelinkError('migration_failed', detail, { cause: error });
  } finally {
    await client.close();
  }
}

const namesOf = (of: typeof indexes) => Object.keys(of) as (keyof Collections)[];

async function prepare(db: Db, collections: Collections, name: keyof Collections): Promise<void> {
  const { collectionName } = collections[name];
  await db.createCollection(collectionName).catch((error: unknown) => {
    if (!hasCode(error, new Set([namespaceExists]))) throw error;
  });
  const definitions = indexes[name];
  if (definitions.length > 0) {
    await collections[name].createIndexes(
      definitions.map(({ name: indexName, key, unique }) => ({ name: indexName, key, ...(unique && { unique }) })),
    );
  }
  const validator = validators[name];
  if (validator === undefined) return;
  await db.command({ collMod: collectionName, validator }).catch((error: unknown) => {
    if (!hasCode(error, unsupported)) throw error;
  });
}

function hasCode(error: unknown, codes: ReadonlySet<number>): boolean {
  return error instanceof MongoServerError && typeof error.code === 'number' && codes.has(error.code);
}

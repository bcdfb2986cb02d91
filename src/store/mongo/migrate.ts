import { type Db, Long, MongoNetworkError, MongoServerError } from 'mongodb';
import { z } from 'zod';
import { RelinkError } from '../../errors.js';
import { connectMongo, openCollections, type Collections, type Documents } from './connect.js';
import { type IndexDefinition, indexes } from './define-indexes.js';
import { validators } from './define-validators.js';
import { counterNames } from './draw-numbers.js';
import { toMongoStoreError } from './map-mongo-error.js';

/** What was changed, oldest first. A release that adds an index, a validator or a collection adds its name here. */
export const schemaChanges = ['20261125000000_init'] as const;

const attempts = 5;
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
  const applied: string[] = [];
  for (let attempt = 1; ; attempt += 1) {
    try {
      await migrateOnce(databaseUrl, applied);
      return { applied };
    } catch (error) {
      if (attempt === attempts || !wasCut(error)) throw error;
    }
  }
}

/** A connection that broke in between, as when the primary changes; not one that could not be made. */
function wasCut(error: unknown): boolean {
  return error instanceof RelinkError && error.cause instanceof MongoNetworkError;
}

async function migrateOnce(databaseUrl: string, applied: string[]): Promise<void> {
  const { client, db } = connectMongo({ databaseUrl, poolSize: 1 });
  try {
    const collections = openCollections(db);
    for (const name of namesOf(indexes)) await prepare(db, collections, name);
    for (const _id of counterNames) {
      await collections.counters.updateOne({ _id }, { $setOnInsert: { value: Long.ZERO } }, { upsert: true });
    }
    for (const _id of schemaChanges) {
      const { upsertedCount } = await collections.migrations.updateOne(
        { _id },
        { $setOnInsert: { appliedAt: new Date() } },
        { upsert: true },
      );
      if (upsertedCount > 0) applied.push(_id);
    }
  } catch (error) {
    const mapped = toMongoStoreError(error);
    if (mapped instanceof RelinkError) throw mapped;
    const detail = error instanceof Error ? error.message : String(error);
    throw new RelinkError('migration_failed', detail, { cause: error });
  } finally {
    await client.close();
  }
}

const knownIndexes = z.array(
  z.object({ name: z.string(), key: z.record(z.string(), z.number()), unique: z.boolean().default(false) }),
);
const namesOf = (of: typeof indexes) => Object.keys(of) as (keyof Collections)[];

async function prepare(db: Db, collections: Collections, name: keyof Collections): Promise<void> {
  const { collectionName } = collections[name];
  await db.createCollection(collectionName).catch((error: unknown) => {
    if (!hasCode(error, new Set([namespaceExists]))) throw error;
  });
  await createMissing(collections[name], indexes[name]);
  const validator = validators[name];
  if (validator === undefined) return;
  await db.command({ collMod: collectionName, validator }).catch((error: unknown) => {
    if (!hasCode(error, unsupported)) throw error;
  });
}

/** Only those that are not there: FerretDB ends the connection of whoever asks for an index that is. */
async function createMissing(collection: Documents, definitions: readonly IndexDefinition[]): Promise<void> {
  const present = new Map(knownIndexes.parse(await collection.indexes()).map(known => [known.name, known]));
  const missing = definitions.filter(({ name, key, unique = false }) => {
    const known = present.get(name);
    if (known === undefined) return true;
    const isSame = JSON.stringify(known.key) === JSON.stringify(key) && known.unique === unique;
    if (!isSame) throw new RelinkError('migration_failed', `the index ${name} is there with other fields`);
    return false;
  });
  if (missing.length > 0) {
    await collection.createIndexes(missing.map(({ name, key, unique }) => ({ name, key, ...(unique && { unique }) })));
  }
}

function hasCode(error: unknown, codes: ReadonlySet<number>): boolean {
  return error instanceof MongoServerError && typeof error.code === 'number' && codes.has(error.code);
}

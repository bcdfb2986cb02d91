import { setTimeout } from 'node:timers/promises';
import { type Db, type Document, MongoNetworkError, MongoServerError } from 'mongodb';
import { z } from 'zod';
import { RelinkError } from '../../errors.js';
import { connectMongo, openCollections, type Collections, type Documents } from './connect.js';
import { type IndexDefinition, indexes } from './define-indexes.js';
import { validators } from './define-validators.js';
import { toMongoStoreError } from './map-mongo-error.js';
import { putOnce } from './put-once.js';
import type { MongoProfile } from './read-mongo-url.js';
import { seedCounters } from './seed-counters.js';

/** What was changed, oldest first. A release that adds an index, a validator or a collection adds its name here. */
export const schemaChanges = ['20261125000000_init'] as const;

const attempts = 5;
/** CommandNotFound, CommandNotSupported, NotImplemented: of servers that have no validators. */
const unsupported = new Set([59, 115, 238]);
/** One index at a time is built on a collection of DocumentDB: how often, and how long apart, the next one is tried. */
const builds = { attempts: 600, pauseMs: 1_000 };
const noValidators = 'The server takes no validators: the code alone keeps the rules of documents.';

export interface MongoMigration {
  readonly applied: string[];
  /** What an operator should know besides, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Brings collections, indexes, validators and counters to what this release needs, and returns the names of the changes
 * that were not there before. Every step says how things have to be and not what to do, so any number of processes may
 * call it at once, and one that was interrupted is made whole by the next call.
 *
 * @throws RelinkError `database_unavailable`; `migration_failed` when a step is refused, such as a unique index over
 *   documents that repeat its key.
 */
export async function migrateMongo(databaseUrl: string): Promise<MongoMigration> {
  const applied: string[] = [];
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { hasValidators } = await migrateOnce(databaseUrl, applied);
      return { applied, notes: hasValidators ? [] : [noValidators] };
    } catch (error) {
      if (attempt === attempts || !wasCut(error)) throw error;
    }
  }
}

/** A connection that broke in between, as when the primary changes; not one that could not be made. */
function wasCut(error: unknown): boolean {
  return error instanceof RelinkError && error.cause instanceof MongoNetworkError;
}

async function migrateOnce(databaseUrl: string, applied: string[]): Promise<{ hasValidators: boolean }> {
  const { client, db, profile } = connectMongo({ databaseUrl, poolSize: 1 });
  try {
    const collections = openCollections(db);
    const present = await listNames(db);
    let hasValidators = true;
    for (const name of namesOf(indexes)) {
      if (!present.has(collections[name].collectionName)) await createCollection(db, collections[name]);
      await createMissing(collections[name], indexes[name]);
      const validator = validators[name];
      if (validator !== undefined) hasValidators &&= await setValidator(db, collections[name], validator, profile);
    }
    await seedCounters(collections);
    for (const name of schemaChanges) {
      if (await putOnce(collections.migrations, name, { appliedAt: new Date() })) applied.push(name);
    }
    return { hasValidators };
  } catch (error) {
    const mapped = toMongoStoreError(error, profile);
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

async function listNames(db: Db): Promise<ReadonlySet<string>> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  return new Set(found.map(({ name }) => name));
}

/** Refusals are told by what is there afterwards: the products have different codes for a name that is taken. */
async function createCollection(db: Db, { collectionName }: Documents): Promise<void> {
  try {
    await db.createCollection(collectionName);
  } catch (error) {
    if (!(error instanceof MongoServerError) || !(await listNames(db)).has(collectionName)) throw error;
  }
}

/**
 * Moderate: what an older version wrote can still be changed, and everything else is held to the rules.
 *
 * @returns false where the server has no validators. Which code an Amazon cluster says that with is not documented.
 */
async function setValidator(db: Db, { collectionName }: Documents, validator: Document, profile: MongoProfile) {
  try {
    await db.command({ collMod: collectionName, validator, validationLevel: 'moderate' });
    return true;
  } catch (error) {
    const isRefusal = error instanceof MongoServerError && !(toMongoStoreError(error, profile) instanceof RelinkError);
    if (!hasCode(error, unsupported) && !(isRefusal && profile === 'documentdb')) throw error;
    return false;
  }
}

/** Only those that are not there: FerretDB ends the connection of whoever asks for an index that is. */
async function createMissing(collection: Documents, definitions: readonly IndexDefinition[]): Promise<void> {
  for (const definition of await findMissing(collection, definitions)) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { key, name, unique } = definition;
        await collection.createIndex(key, { name, ...(unique && { unique }) });
        break;
      } catch (error) {
        if (!(error instanceof MongoServerError)) throw error;
        // Another process may have made it, or be at it.
        if ((await findMissing(collection, [definition])).length === 0) break;
        if (attempt === builds.attempts || !/index build.*in progress/i.test(error.message)) throw error;
        await setTimeout(builds.pauseMs);
      }
    }
  }
}

async function findMissing(collection: Documents, definitions: readonly IndexDefinition[]) {
  const present = new Map(knownIndexes.parse(await collection.indexes()).map(known => [known.name, known]));
  return definitions.filter(({ name, key, unique = false }) => {
    const known = present.get(name);
    if (known === undefined) return true;
    const isSame = JSON.stringify(known.key) === JSON.stringify(key) && known.unique === unique;
    if (!isSame) throw new RelinkError('migration_failed', `the index ${name} is there with other fields`);
    return false;
  });
}

function hasCode(error: unknown, codes: ReadonlySet<number>): boolean {
  return error instanceof MongoServerError && typeof error.code === 'number' && codes.has(error.code);
}

import type { Store } from './port/store.js';
import type { RecordStore } from './transfer/records.js';

/** The databases a store can be on. DocumentDB is MongoDB to everyone but the store. */
export type StoreKind = 'postgres' | 'mongo';

export function storeKindOf(databaseUrl: string): StoreKind {
  return /^mongodb(\+srv)?:/.test(databaseUrl) ? 'mongo' : 'postgres';
}

/**
 * The store of `DATABASE_URL`. Only the chosen one's driver is loaded: each is some tens of megabytes.
 *
 * @param options.poolSize Connections held at most by this process.
 */
export async function openStore(options: { readonly databaseUrl: string; readonly poolSize: number }): Promise<Store> {
  if (storeKindOf(options.databaseUrl) === 'mongo') {
    return (await import('./mongo/create-mongo-store.js')).createMongoStore(options);
  }
  return (await import('./postgres/create-postgres-store.js')).createPostgresStore(options);
}

/** Brings the database to the version of this release; the names of what was applied. See the two runners. */
export async function migrateStore(databaseUrl: string): Promise<{ applied: string[]; notes?: readonly string[] }> {
  if (storeKindOf(databaseUrl) === 'mongo') return (await import('./mongo/migrate.js')).migrateMongo(databaseUrl);
  return (await import('./postgres/migrate.js')).migrate(databaseUrl);
}

/** At a start: what is wrong with `DATABASE_URL`, as ConfigError, where that is what the error comes from. */
export async function explainStoreError(error: unknown, databaseUrl: string): Promise<unknown> {
  if (storeKindOf(databaseUrl) === 'mongo') {
    return (await import('./mongo/explain-mongo-error.js')).explainMongoError(error, databaseUrl);
  }
  return (await import('./postgres/explain-database-error.js')).explainDatabaseError(error, databaseUrl);
}

/** Everything in the database of `DATABASE_URL`, record by record, to be moved into another one. */
export async function openRecords(options: { readonly databaseUrl: string }): Promise<RecordStore> {
  if (storeKindOf(options.databaseUrl) === 'mongo') {
    return (await import('./mongo/transfer-records.js')).openMongoRecords({ ...options, poolSize: 1 });
  }
  return (await import('./postgres/transfer-records.js')).openPostgresRecords({ ...options, poolSize: 1 });
}

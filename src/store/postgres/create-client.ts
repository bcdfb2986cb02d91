import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { nameStatements } from './create-pool.js';
import { PrismaClient } from './generated/client.js';
import { connectTimeoutMs, defaultStatementTimeoutMs, toStoreError } from './map-database-error.js';

/** The adapter knows a pool by its class too, and brings other declarations of it. */
type AdapterPool = Exclude<ConstructorParameters<typeof PrismaPg>[0], string>;
const isAdapterPool = (pool: unknown): pool is AdapterPool => pool instanceof Pool;

/** Prisma as it comes over the pool, with its own errors: what the store is measured against. */
export function createPlainClient(pool: Pool, databaseUrl: string, statementTimeoutMs = defaultStatementTimeoutMs) {
  const shared: unknown = pool;
  if (!isAdapterPool(shared)) throw new Error('there are two copies of pg');
  return new PrismaClient({
    adapter: new PrismaPg(shared, { statementNameGenerator: nameStatements(databaseUrl) }),
    errorFormat: 'minimal',
    transactionOptions: { maxWait: connectTimeoutMs, timeout: statementTimeoutMs },
  });
}

/** Prisma over the pool, which stays the caller's to end. */
export function createClient(pool: Pool, databaseUrl: string, statementTimeoutMs = defaultStatementTimeoutMs) {
  return createPlainClient(pool, databaseUrl, statementTimeoutMs).$extends({
    query: {
      $allOperations: async ({ args, query }) => {
        try {
          const result: unknown = await query(args);
          return result;
        } catch (error) {
          throw toStoreError(error);
        }
      },
    },
  });
}

export type PostgresClient = ReturnType<typeof createClient>;

import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { nameStatements } from './create-pool.js';
import { PrismaClient } from './generated/client.js';
import { connectTimeoutMs, defaultStatementTimeoutMs } from './map-database-error.js';

/** The adapter knows a pool by its class too, and brings other declarations of it. */
type AdapterPool = Exclude<ConstructorParameters<typeof PrismaPg>[0], string>;
const isAdapterPool = (pool: unknown): pool is AdapterPool => pool instanceof Pool;

/** Prisma over the pool, which stays the caller's to end. Its errors are Prisma's: the store maps them, call by call. */
export function createClient(pool: Pool, databaseUrl: string, statementTimeoutMs = defaultStatementTimeoutMs) {
  const shared: unknown = pool;
  if (!isAdapterPool(shared)) throw new Error('there are two copies of pg');
  return new PrismaClient({
    adapter: new PrismaPg(shared, { statementNameGenerator: nameStatements(databaseUrl) }),
    errorFormat: 'minimal',
    transactionOptions: { maxWait: connectTimeoutMs, timeout: statementTimeoutMs },
  });
}

export type PostgresClient = ReturnType<typeof createClient>;

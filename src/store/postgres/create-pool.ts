import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Pool } from 'pg';
import { connectTimeoutMs, defaultStatementTimeoutMs } from './map-database-error.js';

export interface PostgresOptions {
  readonly databaseUrl: string;
  /** Connections held at most by this process; 10 unless given. */
  readonly poolSize?: number;
  /** How long PostgreSQL may work on one statement; 15 s unless given. */
  readonly statementTimeoutMs?: number;
}

interface Connection {
  query(sql: string): Promise<unknown>;
  readonly connection: { readonly stream: Socket };
}

/** By this text the driver's own timeout is known. */
const silence = 'Query read timeout';

/** Connects lazily and reconnects by itself: a broken connection leaves the pool, the next query opens another. */
export function createPool({
  databaseUrl,
  poolSize = 10,
  statementTimeoutMs = defaultStatementTimeoutMs,
}: PostgresOptions): Pool {
  // Every connection works in UTC: the driver adapter sends and reads timestamps without their offset, so in any other
  // time zone they would be stored shifted. Set by a statement, since poolers refuse start-up parameters.
  const prepareConnection = `SET TIME ZONE 'UTC'; SET statement_timeout = ${statementTimeoutMs}`;
  const options = {
    connectionString: databaseUrl,
    application_name: 'relink',
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // Awaited by the pool before the connection is handed out; a failure fails that query.
    onConnect: async (client: Connection) => {
      // The client's own watch, for a server or network that fell silent and will not report the timeout itself. On the
      // socket: the driver's `query_timeout` makes a timer for each query, which keeps the query and its values alive
      // into the old generation. For the intake of webhooks that was nearly all that ever got there.
      const { stream } = client.connection;
      stream.setTimeout(statementTimeoutMs + 5_000, () => stream.destroy(new Error(silence)));
      await client.query(prepareConnection);
    },
  };
  const pool = new Pool(options);
  // An idle connection that breaks, as when the server restarts, must not end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Lists of ids make a statement of their own for each length; a bound keeps the map from growing with them. */
const maxNames = 500;

/**
 * Names for prepared statements, so that PostgreSQL parses and plans each of our few dozen only once a connection.
 * Off with `?pgbouncer=true`, Prisma's own flag: a pooler that hands out a connection per transaction loses them.
 */
export function nameStatements(databaseUrl: string): (query: { readonly sql: string }) => string {
  const names = new Map<string, string>();
  if (new URL(databaseUrl).searchParams.get('pgbouncer') === 'true') return () => '';
  return ({ sql }) => {
    let name = names.get(sql);
    if (name === undefined) {
      name = `relink_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`;
      if (names.size < maxNames) names.set(sql, name);
    }
    return name;
  };
}

/** One statement past Prisma, a time as a Date with its offset; the rows as the driver reads them. */
export type DirectQuery = (sql: string, values: readonly (string | number | Date)[]) => Promise<unknown[]>;

/**
 * For the statements that every webhook or every lot of deliveries waits for: by way of Prisma they cost as much as all
 * the rest of taking one in.
 */
export function createDirectQuery(pool: Pool, databaseUrl: string): DirectQuery {
  const nameOf = nameStatements(databaseUrl);
  return async (sql, values) => {
    const named = { name: nameOf({ sql }), text: sql, values: [...values] };
    return (await pool.query<Record<string, unknown>>(named)).rows;
  };
}

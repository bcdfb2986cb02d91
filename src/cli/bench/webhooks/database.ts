import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { z } from 'zod';
import type { BenchDatabase } from './bench-database.js';
import { storeKindOf } from '../../../store/open-store.js';

const arrivalRows = z.array(z.object({ integration_id: z.string(), ids: z.array(z.string()) }));
const countRow = z.object({ count: z.coerce.number() });
const latencyRow = z.object({ count: z.coerce.number(), p50: z.number().nullable(), p99: z.number().nullable() });

/** Resolves with the time (performance.now) at which nothing was pending any more. */
export async function untilDrained(database: BenchDatabase, withinMs: number): Promise<number> {
  const until = Date.now() + withinMs;
  while (Date.now() < until) {
    if ((await database.countPending()) === 0) return performance.now();
    await sleep(20);
  }
  throw new Error(`${await database.countPending()} deliveries are still pending after ${withinMs} ms`);
}

export async function openBenchDatabase(url: string): Promise<BenchDatabase> {
  if (storeKindOf(url) === 'postgres') return new PostgresBenchDatabase(url);
  return new (await import('./mongo-database.js')).MongoBenchDatabase(url);
}

class PostgresBenchDatabase implements BenchDatabase {
  private readonly pool: Pool;

  constructor(url: string) {
    this.pool = new Pool({ connectionString: url, max: 2 });
  }

  async count(state: string): Promise<number> {
    const { rows } = await this.pool.query('SELECT count(*) AS count FROM deliveries WHERE state = $1', [state]);
    return countRow.parse(rows[0]).count;
  }

  async countPending(): Promise<number> {
    const { rows } = await this.pool.query(
      `SELECT count(*) AS count FROM deliveries WHERE state IN ('queued', 'claimed')`,
    );
    return countRow.parse(rows[0]).count;
  }

  async latency(since: Date): Promise<{ readonly count: number; readonly p50: number; readonly p99: number }> {
    const { rows } = await this.pool.query(
      `SELECT count(*) AS count,
              percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
         FROM (SELECT extract(epoch FROM finished_at - received_at)::float8 * 1000 AS ms FROM deliveries
                WHERE received_at >= $1 AND state = 'succeeded') AS times`,
      [since],
    );
    const row = latencyRow.parse(rows[0]);
    return { count: row.count, p50: Math.round(row.p50 ?? NaN), p99: Math.round(row.p99 ?? NaN) };
  }

  async reset(): Promise<void> {
    await this.pool.query('TRUNCATE deliveries');
    await this.pool.query(
      "DO $$ BEGIN IF to_regclass('bench_bare') IS NOT NULL THEN TRUNCATE bench_bare; END IF; END $$",
    );
    await this.pool.query('CHECKPOINT');
  }

  async arrivals(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { rows } = await this.pool.query(
      'SELECT integration_id, array_agg(id ORDER BY sequence) AS ids FROM deliveries GROUP BY integration_id',
    );
    return new Map(arrivalRows.parse(rows).map(row => [row.integration_id, row.ids]));
  }

  async handledWithin(): Promise<number> {
    const { rows } = await this.pool.query(
      `SELECT extract(epoch FROM max(finished_at) - min(finished_at))::float8 AS count FROM deliveries WHERE state = 'succeeded'`,
    );
    return countRow.parse(rows[0]).count;
  }

  async vacuum(): Promise<void> {
    await this.pool.query('VACUUM ANALYZE deliveries');
  }

  async vacuumJobs(): Promise<void> {
    await this.pool.query('VACUUM ANALYZE');
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { PgBoss } from 'pg-boss';
import { setTimeout as sleep } from 'node:timers/promises';
import { round } from '../statistics.js';
import { naiveTaskQueue } from './naive-contract.js';

/** One workflow per webhook with one activity: handled a second. */
export async function drainNaively(client: Client, count: number): Promise<number> {
  const runs: Promise<unknown>[] = [];
  const startedAt = performance.now();
  const atOnce = 50;
  let next = 0;
  const start = async () => {
    while (next < count) {
      const index = next++;
      const handle = await client.workflow.start('naive', {
        taskQueue: naiveTaskQueue,
        workflowId: `naive/${randomUUID()}/${index}`,
      });
      runs.push(handle.result());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, start));
  await Promise.all(runs);
  return round((count * 1000) / (performance.now() - startedAt), 1);
}

/** pg-boss on the same database, as fast as it goes: batches of 50, no pause between full batches. Jobs a second. */
export async function drainByPgBoss(databaseUrl: string, count: number, vacuum: () => Promise<void>): Promise<number> {
  const boss = new PgBoss({ connectionString: databaseUrl, schema: 'pgboss', max: 10 });
  boss.on('error', () => undefined);
  await boss.start();
  const queue = 'bench';
  await boss.createQueue(queue);
  const data = { body: 'x'.repeat(900) };
  for (let sent = 0; sent < count; sent += 500) {
    await boss.insert(
      queue,
      Array.from({ length: Math.min(500, count - sent) }, () => ({ data })),
    );
  }
  await vacuum();
  let handled = 0;
  const startedAt = performance.now();
  const options = { batchSize: 50, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
  await boss.work(queue, options, async jobs => {
    handled += jobs.length;
    await Promise.resolve();
  });
  while (handled < count && performance.now() - startedAt < 120_000) await sleep(20);
  const rate = round((handled * 1000) / (performance.now() - startedAt), 1);
  await boss.stop({ graceful: false });
  return rate;
}

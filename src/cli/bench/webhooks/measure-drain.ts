import { setTimeout as sleep } from 'node:timers/promises';
import { round } from '../statistics.js';
import { countActions } from './count-actions.js';
import { drainByPgBoss, drainNaively } from './drain-others.js';
import { sendLoad } from './send-load.js';
import type { Stage } from './stage.js';
import { untilDrained } from './database.js';

const rounds = 2;
const usualCount = 20_000;
const integrations = 100;
const naiveCount = 500;

/**
 * A backlog, and how fast it is gone: ours, one workflow with one activity each, and pg-boss, in alternating rounds.
 * Ours counts from the first delivery handled, once the worker is up; the others' best round counts.
 */
export async function measureDrain(stage: Stage) {
  const { stack, client, database, living, say } = stage;
  const drainCount = usualCount * stage.backlog;
  const workflowIds = living.integrationIds.slice(0, integrations).map(id => `webhooks/${id}`);
  const ours: number[] = [];
  const naive: number[] = [];
  const boss: number[] = [];
  let actions = 0;
  for (let index = 0; index < rounds; index += 1) {
    naive.push(await drainNaively(client, naiveCount));
    if (stack.store === 'postgres') {
      boss.push(await drainByPgBoss(stack.databaseUrl, drainCount, () => database.vacuumJobs()));
    }

    await stage.clear();
    const since = new Date();
    await sendLoad(stage.first(integrations), { count: drainCount });
    await database.vacuum();
    // The last wakes are still on their way.
    await sleep(2_000);
    await stage.startWorker();
    await untilDrained(database, 300_000);
    ours.push(round(drainCount / (await database.handledWithin()), 1));
    // Consumers linger before they end.
    await sleep(8_000);
    actions = Math.max(actions, await countActions(client, workflowIds, since));
    await stage.stopWorker();
  }
  const rate = round(ours.reduce((sum, each) => sum + each, 0) / ours.length, 1);
  const naiveRate = Math.max(...naive);
  // It keeps its jobs in PostgreSQL only.
  const bossRate = boss.length === 0 ? null : Math.max(...boss);
  say(
    `drain of ${drainCount} over ${integrations} integrations: ${rate} a second (${ours.join(', ')}); one workflow each: ${naiveRate}; pg-boss: ${bossRate ?? 'not on this store'}; Temporal actions: ${actions}`,
  );
  return {
    rate,
    vs_naive: round(rate / naiveRate, 1),
    vs_pgboss: bossRate === null ? null : round(rate / bossRate),
    actions_per_delivery: round(actions / drainCount, 3),
  };
}

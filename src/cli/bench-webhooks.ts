import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { loadDevConfig } from '../config-dev.js';
import { pickPort } from '../embedded/pick-port.js';
import { acquireInstanceLock } from '../embedded/single-instance.js';
import { ApiClient } from './api-client.js';
import { startBenchStack } from './bench/start-bench-stack.js';
import { round } from './bench/statistics.js';
import { countActions, countConsumers } from './bench/webhooks/count-actions.js';
import { BenchDatabase } from './bench/webhooks/database.js';
import { drainByPgBoss, drainNaively } from './bench/webhooks/measure-drain.js';
import { measureIntake } from './bench/webhooks/measure-intake.js';
import { checkOrder, seconds } from './bench/webhooks/measure-release.js';
import { PeakMemory } from './bench/webhooks/peak-memory.js';
import { kill, pathOf, seed } from './bench/webhooks/seed.js';
import { sendLoad, sendPaced, type LoadTarget } from './bench/webhooks/send-load.js';

/**
 * `npm run bench:webhooks`: intake against a bare route, intake under load with the worker on, latency, the drain of a
 * backlog against two other forms, and the release of what was held. The last line is JSON.
 */
const say = (line: string) => console.log(line);
const drainCount = 20_000;
const heldCount = 10_000;
const naiveCount = 500;

async function main(): Promise<void> {
  const { dataDirectory, temporalCli } = loadDevConfig(process.env);
  const root = join(dataDirectory, 'bench-webhooks');
  const lock = await acquireInstanceLock(`${root}-lock`);
  if (!lock.acquired) {
    say(lock.message);
    process.exit(1);
  }
  say(
    `Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, ${process.platform}`,
  );
  say(
    'Settings: production processes, prebuilt bundle, log level warn, fsync on, 1 kB bodies, no-op handlers in threads',
  );
  const stack = await startBenchStack(
    {
      root,
      temporalCli,
      withWorker: false,
      settings: {
        RELINK_INTEGRATIONS: join(__dirname, 'bench/webhooks/noop-handlers.js'),
        RELINK_HELD_LIMIT: '20000',
        RELINK_TEST_GRACE_MS: '100,300,1000',
      },
    },
    line => say(`  ${line}`),
  );
  const interrupt = () => void stack.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const database = new BenchDatabase(stack.databaseUrl);
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const memory = new PeakMemory();
  memory.watch('server', stack.server.pid);
  const { webhookSecret: secret } = stack.sandbox;
  const targetOf = (ids: readonly string[]): LoadTarget => ({ origin: stack.url, paths: ids.map(pathOf), secret });
  const restarting = async (role: Awaited<ReturnType<typeof stack.startWorker>> | undefined) => role?.stop();
  let worker: Awaited<ReturnType<typeof stack.startWorker>> | undefined;
  const startWorker = async () => {
    worker = await stack.startWorker();
    memory.watch('worker', worker.pid);
    return worker;
  };
  try {
    const barePort = await pickPort(undefined, 'bare intake', say);
    await stack.run('bare-intake', 'cli/bench/webhooks/bare-intake.js', [stack.databaseUrl, secret, String(barePort)]);
    await stack.run('naive-worker', 'cli/bench/webhooks/naive-worker.js', [stack.temporalAddress]);

    // Connecting and dying need a worker; the intake is then measured without one.
    await startWorker();
    const living = await seed(stack, 'bench-living', 'acme', 1_000);
    const recorded = join(root, 'recorded.txt');
    const dead = await seed(stack, 'bench-dead', 'hooli', 10, () => ({ file: recorded }));
    await kill(stack, dead, 'hooli');
    await restarting(worker);
    const bare: LoadTarget = {
      origin: `http://127.0.0.1:${barePort}`,
      paths: living.integrationIds.slice(0, 10).map(id => `/webhooks/${id}`),
      secret,
    };
    for (let tries = 0; tries < 50; tries += 1) {
      const isUp = await fetch(bare.origin).then(
        () => true,
        () => false,
      );
      if (isUp) break;
      await sleep(100);
    }
    say(`At rest: ${memory.show()}`);

    const ten = living.integrationIds.slice(0, 10);
    const intake = await measureIntake(bare, targetOf(ten), database, 'intake, worker off', say);
    const deadIntake = await measureIntake(
      bare,
      targetOf(dead.integrationIds),
      database,
      'intake, credential dead',
      say,
    );
    const deadWorkflows = await countConsumers(client, dead.integrationIds);
    const one = await sendLoad(targetOf(ten.slice(0, 1)), { ms: 3_000 });
    const all = await sendLoad(targetOf(living.integrationIds), { ms: 3_000 });
    say(`intake on 1 integration: ${one.rps} a second; on 1,000: ${all.rps} a second`);
    say(`After the intake: ${memory.show()}`);

    await database.reset();
    await startWorker();
    await sendLoad(targetOf(ten), { ms: 3_000 });
    const handledBefore = await database.count('succeeded');
    const sustainedAt = performance.now();
    const load = await sendLoad(targetOf(ten), { ms: 15_000 });
    const handledRate =
      ((await database.count('succeeded')) - handledBefore) / ((performance.now() - sustainedAt) / 1000);
    say(`sustained: ${load.rps} taken in and ${round(handledRate, 1)} handled a second at the same time`);
    await database.untilDrained(300_000);
    say(`After sustained load: ${memory.show()}`);

    const latency: Record<string, { p50: number; p99: number }> = {};
    for (const [rate, integrations] of [
      [100, 10],
      [300, 10],
      [300, 100],
      [300, 1_000],
    ] as const) {
      const target = targetOf(living.integrationIds.slice(0, integrations));
      await sendPaced(target, rate, 3);
      const since = new Date();
      await sendPaced(target, rate, 10);
      await database.untilDrained(120_000);
      const { p50, p99 } = await database.latency(since);
      say(`accepted to handled at ${rate} a second over ${integrations} integrations: p50 ${p50} ms, p99 ${p99} ms`);
      if (integrations === 10) latency[rate] = { p50, p99 };
    }

    await restarting(worker);
    await database.reset();
    const hundred = living.integrationIds.slice(0, 100);
    for (const id of hundred) {
      await client.workflow
        .getHandle(`webhooks/${id}`)
        .terminate('the benchmark counts the actions of one drain')
        .catch(() => undefined);
    }
    const naive = [await drainNaively(client, naiveCount)];
    const boss = [await drainByPgBoss(stack.databaseUrl, drainCount, () => database.vacuum())];
    await sendLoad(targetOf(hundred), { count: drainCount });
    await database.vacuum();
    await sleep(2_000);
    const drainStartedAt = performance.now();
    await startWorker();
    const drained = seconds(drainStartedAt, await database.untilDrained(300_000));
    const drainRate = round(drainCount / drained, 1);
    naive.push(await drainNaively(client, naiveCount));
    boss.push(await drainByPgBoss(stack.databaseUrl, drainCount, () => database.vacuum()));
    const naiveRate = Math.max(...naive);
    const bossRate = Math.max(...boss);
    await sleep(8_000);
    const actions = await countActions(
      client,
      hundred.map(id => `webhooks/${id}`),
    );
    say(
      `drain of ${drainCount} over 100 integrations, the worker's start included: ${drainRate} a second; one workflow each: ${naiveRate}; pg-boss: ${bossRate}; Temporal actions: ${actions}`,
    );
    say(`After the drain: ${memory.show()}`);

    await database.reset();
    await sendLoad(targetOf(dead.integrationIds), { count: heldCount });
    const held = await database.count('queued');
    const releasedAt = performance.now();
    const again = new ApiClient(stack.url, stack.apiKey, 'bench-dead');
    await again.connect('hooli', { entityId: dead.entityId });
    const released = seconds(releasedAt, await database.untilDrained(300_000));
    const check = await checkOrder(recorded, dead.integrationIds.length, heldCount / dead.integrationIds.length);
    say(`release of ${held} held: ${released} s from the reconnect's start to the last one handled`);

    const rss = memory.peaks();
    const handled = await database.count('succeeded');
    await connection.close();
    await database.close();
    await stack.stop();
    await lock.release();
    say(
      JSON.stringify({
        bench: 'webhooks',
        sent: heldCount,
        handled,
        intake_ratio: intake.ratio,
        intake_p99_ratio: intake.p99Ratio,
        dead_intake_ratio: deadIntake.ratio,
        dead_workflows: deadWorkflows,
        sustained_ratio: round(handledRate / intake.bareRps),
        latency_ms: latency,
        vs_naive: round(drainRate / naiveRate, 1),
        drain_ratio: round(drainRate / intake.bareRps),
        vs_pgboss: round(drainRate / bossRate),
        actions_per_delivery: round(actions / drainCount, 3),
        release: { held, seconds: released, ...check },
        rss_mb: rss,
      }),
    );
    process.exit(check.lost + check.twice + check.out_of_order === 0 ? 0 : 1);
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

main().catch((error: unknown) => {
  say(`The benchmark could not run: ${error instanceof Error ? error.message : 'unknown error'}`);
  process.exit(1);
});

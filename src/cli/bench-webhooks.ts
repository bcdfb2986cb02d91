import { join } from 'node:path';
import { loadDevConfig } from '../config-dev.js';
import type { StoreName } from '../embedded/store-names.js';
import { parseParts, type Part } from './bench/webhooks/parse-parts.js';
import { measureDrain } from './bench/webhooks/measure-drain.js';
import { measureIntakes } from './bench/webhooks/measure-intakes.js';
import { measureLatency } from './bench/webhooks/measure-latency.js';
import { isWhole, measureRelease } from './bench/webhooks/measure-release.js';
import { measureSustained } from './bench/webhooks/measure-sustained.js';
import { sendLoad } from './bench/webhooks/send-load.js';
import { setStage } from './bench/webhooks/stage.js';
import { runBenchmark, say, type BenchmarkResult } from './bench/run-benchmark.js';
import { startBenchStack } from './bench/start-bench-stack.js';
import { round } from './bench/statistics.js';
import { readStoreName } from './read-store-name.js';
import { stopOnSignal } from './stop-on-signal.js';

/**
 * `npm run bench:webhooks [-- --parts intake,sustained,latency,drain,release] [--store postgres|mongo|documentdb]`: intake against a bare route, intake under
 * load with the worker on, latency, the drain of a backlog against two other forms, and the release of what was held.
 * The last line is JSON; it holds what was measured.
 */
runBenchmark(() => {
  const { store, rest } = readStoreName(process.argv.slice(2));
  const parts = parseParts(rest);
  const { dataDirectory, temporalCli } = loadDevConfig(process.env);
  const root = join(dataDirectory, 'bench-webhooks');
  return {
    lockDirectory: `${root}-lock`,
    settings: 'production processes, prebuilt bundle, log level warn, fsync on, 1 kB bodies, no-op handlers in threads',
    measure: () => measure(root, temporalCli, store, parts),
  };
});

async function measure(
  root: string,
  temporalCli: string | undefined,
  store: StoreName,
  parts: ReadonlySet<Part>,
): Promise<BenchmarkResult> {
  const stack = await startBenchStack(
    {
      root,
      temporalCli,
      store,
      withWorker: false,
      settings: {
        RELINK_INTEGRATIONS: join(__dirname, 'bench/webhooks/noop-handlers.js'),
        RELINK_HELD_LIMIT: '20000',
        RELINK_TEST_GRACE_MS: '100,300,1000',
      },
    },
    line => say(`  ${line}`),
  );
  stopOnSignal(() => stack.stop());
  try {
    const stage = await setStage(stack, root, say);
    const tell = async (part: string) => say(`After ${part}: ${await stage.memory.endPart()}`);
    await tell('seeding');

    const intake = parts.has('intake') ? await measureIntakes(stage) : null;
    const bareRps = intake?.bareRps ?? (await sendLoad(stage.bare, { ms: 5_000 })).rps;
    if (intake === null) say(`bare route: ${bareRps} requests a second`);
    await tell('the intake');
    const sustained = parts.has('sustained') ? await measureSustained(stage) : null;
    await tell('the sustained load');
    const latency = parts.has('latency') ? await measureLatency(stage) : null;
    await tell('the latency');
    const drain = parts.has('drain') ? await measureDrain(stage) : null;
    await tell('the drain');
    const release = parts.has('release') ? await measureRelease(stage) : null;
    await tell('the release');

    const rss = stage.memory.peaks();
    await stage.close();
    await stack.stop();
    const line = {
      bench: 'webhooks',
      store,
      ...(release !== null && { sent: release.sent, handled: release.handled }),
      ...(intake !== null && {
        intake_ratio: intake.intake_ratio,
        intake_p99_ratio: intake.intake_p99_ratio,
        dead_intake_ratio: intake.dead_intake_ratio,
        dead_workflows: intake.dead_workflows,
      }),
      ...(sustained !== null && { sustained_ratio: round(sustained / bareRps) }),
      ...(latency !== null && { latency_ms: latency }),
      ...(drain !== null && {
        vs_naive: drain.vs_naive,
        drain_ratio: round(drain.rate / bareRps),
        vs_pgboss: drain.vs_pgboss,
        actions_per_delivery: drain.actions_per_delivery,
      }),
      ...(release !== null && { release: release.release }),
      rss_mb: rss,
    };
    return { line, isSafe: release === null || isWhole(release) };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

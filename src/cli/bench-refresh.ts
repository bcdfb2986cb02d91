import { join } from 'node:path';
import { loadDevConfig } from '../config-dev.js';
import type { RoleProcess } from '../embedded/process/spawn-role.js';
import { Callers, processes } from './bench/refresh/callers.js';
import { isSafeResult } from './bench/refresh/is-safe-result.js';
import { doomedCalls, measureDoomed } from './bench/refresh/measure-doomed.js';
import { measureFastPath } from './bench/refresh/measure-fast-path.js';
import { measureIncident } from './bench/refresh/measure-incident.js';
import { measureKills } from './bench/refresh/measure-kills.js';
import { callers, measureRounds, rounds } from './bench/refresh/measure-rounds.js';
import { RefreshDatabase } from './bench/refresh/refresh-database.js';
import { runBenchmark, say, type BenchmarkResult } from './bench/run-benchmark.js';
import { startBenchStack } from './bench/start-bench-stack.js';
import { SandboxControl } from './sandbox-control.js';
import { stopOnSignal } from './stop-on-signal.js';

/**
 * `npm run bench:refresh`: hundreds of callers in several processes meet a 401 at once; the same where a second token
 * request ends the grant; the fast path; calls that are doomed; the incident; and the worker killed at random instants.
 * The last line is JSON.
 */
runBenchmark(() => {
  const { dataDirectory, temporalCli } = loadDevConfig(process.env);
  const root = join(dataDirectory, 'bench-refresh');
  return {
    lockDirectory: `${root}-lock`,
    settings: 'production processes, prebuilt bundle, log level warn, fsync on, Temporal dev server with WAL',
    measure: () => measure(root, temporalCli),
  };
});

async function measure(root: string, temporalCli: string | undefined): Promise<BenchmarkResult> {
  const settings = {
    RELINK_INTEGRATIONS: join(__dirname, 'bench/refresh/incident-handlers.js'),
    // What a killed worker left unanswered is asked again after this, instead of after 15 seconds.
    RELINK_REFRESH_TIMEOUT: '3',
    // A round lets 5,000 fall out of the held bound; at the usual 30 seconds that alone would take nine minutes.
    RELINK_SWEEP_INTERVAL: '3',
  };
  const stack = await startBenchStack({ root, temporalCli, settings }, line => say(`  ${line}`));
  stopOnSignal(() => stack.stop());
  const database = new RefreshDatabase(stack.databaseUrl);
  try {
    const sandbox = new SandboxControl(stack.sandbox.url, stack.sandbox.controlKey);
    const fleet = await Callers.start(stack, say);
    const kept = await measureRounds(stack, sandbox, database, fleet, 'kept', say);
    const rotated = await measureRounds(stack, sandbox, database, fleet, 'rotated', say);
    const fastPath = await measureFastPath(stack, fleet, say);
    const doomed = await measureDoomed(stack, sandbox, fleet, say);
    const workers: RoleProcess[] = [stack.worker];
    const incident = await measureIncident(stack, sandbox, database, workers, say);
    const killed = await measureKills(stack, sandbox, database, fleet, say);

    await database.close();
    await stack.stop();
    const line = {
      bench: 'refresh',
      ...{ rounds, callers, processes, doomed_calls: doomedCalls },
      posts_per_round_max: Math.max(kept.postsMax, rotated.postsMax),
      failed_callers: kept.failedCallers + rotated.failedCallers,
      grants_lost: kept.grantsLost + rotated.grantsLost,
      fast_path_ratio: fastPath,
      doomed_refusals: doomed.refusals,
      doomed_posts: doomed.posts,
      killed,
      dead_grant: incident,
    };
    return { line, isSafe: isSafeResult(line) };
  } catch (error) {
    await database.close();
    await stack.stop();
    throw error;
  }
}

import { loadDevConfig } from '../config-dev.js';
import type { StoreName } from '../embedded/store-names.js';
import { measurePairs, measureThroughput } from './bench/measure-callback.js';
import { measureOutage } from './bench/measure-outage.js';
import { measureReady } from './bench/measure-ready.js';
import { parsePairs } from './bench/parse-pairs.js';
import { readMemory } from './bench/read-memory.js';
import { runBenchmark, say, type BenchmarkResult } from './bench/run-benchmark.js';
import { startBenchStack } from './bench/start-bench-stack.js';
import { readStoreName } from './read-store-name.js';
import { stopOnSignal } from './stop-on-signal.js';

/**
 * `npm run bench:callback [-- --pairs N] [--store postgres|mongo|documentdb]`: the whole callback against a bare Update-with-Start, alternating on one
 * Temporal server; throughput; an outage of Temporal; memory; time to be ready. The last line is JSON.
 */
runBenchmark(() => {
  const { store, rest } = readStoreName(process.argv.slice(2));
  const pairs = parsePairs(rest);
  const { dataDirectory: root, temporalCli } = loadDevConfig(process.env);
  return {
    lockDirectory: `${root}/bench-lock`,
    settings: 'production processes, prebuilt bundle, log level warn, fsync on, Temporal dev server with WAL',
    measure: () => measure(root, temporalCli, store, pairs),
  };
});

async function measure(
  root: string,
  temporalCli: string | undefined,
  store: StoreName,
  pairs: number,
): Promise<BenchmarkResult> {
  const ready = await measureReady(root, process.env);
  say(`npm start ready: ${ready.first} s on an empty data directory, ${ready.again} s again`);

  const stack = await startBenchStack({ root, temporalCli, store }, line => say(`  ${line}`));
  stopOnSignal(() => stack.stop());
  try {
    const { bare_ms, callback_ms, ...ratios } = await measurePairs(stack, pairs, say);
    say(`bare Update-with-Start: p50 ${bare_ms.p50} ms, p99 ${bare_ms.p99} ms`);
    say(`POST /api/authorize:    p50 ${callback_ms.p50} ms, p99 ${callback_ms.p99} ms`);

    const rps: Record<string, number> = {};
    for (const callers of [1, 4, 16]) {
      rps[callers] = await measureThroughput(stack, callers, 200);
      say(`${callers} callers: ${rps[callers]} requests a second`);
    }
    const memory = { server: await readMemory(stack.server.pid), worker: await readMemory(stack.worker.pid) };
    const { outage_settled_s, ...outage } = await measureOutage(stack, say);
    say(
      `outage: ${outage.outage_accepted} accepted, ${outage.outage_lost} lost, settled ${outage_settled_s} s after it`,
    );
    await stack.stop();
    const { ratio_p50, ratio_p99 } = ratios;
    const line = {
      bench: 'callback',
      store,
      ratio_p50,
      ratio_p99,
      rps,
      pairs: ratios.pairs,
      ...outage,
      rss_mb: memory,
      ready_s: ready,
    };
    return { line, isSafe: outage.outage_lost === 0 };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

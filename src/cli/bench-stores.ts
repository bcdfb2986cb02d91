import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDevConfig } from '../config-dev.js';
import { clearEmbeddedDatabases } from '../embedded/start-embedded-database.js';
import type { StoreName } from '../embedded/store-names.js';
import { runBenchmark, say, type BenchmarkResult } from './bench/run-benchmark.js';
import { concurrent, type Measured } from './bench/stores/measure-operation.js';
import { measureStore } from './bench/stores/measure-store.js';
import { fewPeople, sizes, type BenchSizes } from './bench/stores/sizes.js';
import { checkMongoPlans } from './bench/stores/plans/check-mongo-plans.js';
import { checkPostgresPlans } from './bench/stores/plans/check-postgres-plans.js';
import type { PlansChecked } from './bench/stores/plans/plan-sizes.js';
import { parseBenchStores } from './bench/stores/parse-options.js';
import { startBenchDatabase, type BenchPlace } from './bench/stores/start-bench-database.js';
import { stopOnSignal } from './stop-on-signal.js';

/**
 * `npm run bench:stores [-- --quick] [--stores postgres,mongo,documentdb]`: each operation of the port on each store against
 * the same statements without it. The last line is JSON; the exit code is 1 when nothing was measured.
 */
runBenchmark(() => {
  const { quick, stores } = parseBenchStores(process.argv.slice(2));
  const { dataDirectory, mongodbUrl } = loadDevConfig(process.env);
  const directory = join(dataDirectory, 'bench-stores');
  const size = quick ? sizes.quick : sizes.full;
  return {
    lockDirectory: `${directory}-lock`,
    settings: `${concurrent} concurrent calls, 10 connections each, fsync on, turns of ${size.turnMs} ms in ${size.rounds} rounds (${size.moreRounds} more where the ratio is below 0.9)`,
    measure: () => measure({ directory, toolsDirectory: join(dataDirectory, 'tools'), mongodbUrl }, size, stores),
  };
});

async function measure(place: BenchPlace, size: BenchSizes, stores: readonly StoreName[]): Promise<BenchmarkResult> {
  const { directory, mongodbUrl } = place;
  await clearEmbeddedDatabases(directory, say);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const measured: Measured[] = [];
  const plans: Partial<Record<StoreName, PlansChecked>> = {};
  for (const store of stores) {
    const isIndexed = store === 'postgres' || (store === 'mongo' && mongodbUrl !== undefined);
    const database = await startBenchDatabase(store, place, say);
    if (database === null) continue;
    const letGo = stopOnSignal(() => database.stop());
    try {
      say(`${store} (${database.label}), operations a second:`);
      measured.push(...(await measureStore(store, database.url, size, isIndexed ? size.people : fewPeople, say)));
      if (store === 'postgres') {
        say(`Plans on ${store}:`);
        plans[store] = await checkPostgresPlans(database.url, size.plans, say);
        say(`  ${plans[store].checked} calls, ${plans[store].scans} sequential scans`);
      }
      if (store === 'mongo' && mongodbUrl !== undefined) {
        say(`Plans on ${store}:`);
        plans[store] = await checkMongoPlans(database.url, size.plans, say);
        say(`  ${plans[store].checked} calls, ${plans[store].scans} scans of a collection`);
      }
    } finally {
      letGo();
      await database.stop();
    }
  }
  await rm(directory, { recursive: true, force: true });
  const { postgres, mongo } = plans;
  const line = {
    bench: 'stores',
    min_ratio: Math.min(...measured.map(({ ratio }) => ratio)),
    scans: (postgres?.scans ?? 0) + (mongo?.scans ?? 0),
    plans_checked: { postgres: postgres?.checked ?? 0, mongo: mongo?.checked ?? 0 },
  };
  return { line, isSafe: measured.length > 0 };
}

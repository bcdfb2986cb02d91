import { mkdir, rm } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { loadDevConfig } from '../config-dev.js';
import { acquireInstanceLock } from '../embedded/single-instance.js';
import { clearEmbeddedDatabases } from '../embedded/start-embedded-database.js';
import type { StoreName } from '../embedded/store-names.js';
import type { Measured } from './bench/stores/measure-operation.js';
import { concurrent } from './bench/stores/measure-operation.js';
import { measureStore } from './bench/stores/measure-store.js';
import { fewPeople, sizes } from './bench/stores/sizes.js';
import { checkMongoPlans } from './bench/stores/plans/check-mongo-plans.js';
import { checkPostgresPlans } from './bench/stores/plans/check-postgres-plans.js';
import type { PlansChecked } from './bench/stores/plans/plan-sizes.js';
import { parseBenchStores } from './bench/stores/parse-options.js';
import { startBenchDatabase } from './bench/stores/start-bench-database.js';
import { stopOnSignal } from './stop-on-signal.js';

const say = (line: string) => console.log(line);

/**
 * `npm run bench:stores [-- --quick] [--stores postgres,mongo,documentdb]`: each operation of the port on each store against
 * the same statements without it. The last line is JSON; the exit code is 1 when nothing was measured.
 */
async function main(): Promise<void> {
  const { quick, stores } = parseBenchStores(process.argv.slice(2));
  const { dataDirectory, mongodbUrl } = loadDevConfig(process.env);
  const directory = join(dataDirectory, 'bench-stores');
  const lock = await acquireInstanceLock(`${directory}-lock`);
  if (!lock.acquired) {
    say(lock.message);
    process.exit(1);
  }
  const size = quick ? sizes.quick : sizes.full;
  say(
    `Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, ${process.platform}`,
  );
  say(
    `Settings: ${concurrent} concurrent calls, 10 connections each, fsync on, turns of ${size.turnMs} ms in ${size.rounds} rounds (${size.moreRounds} more where the ratio is below 0.9)`,
  );
  await clearEmbeddedDatabases(directory, say);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const place = { directory, toolsDirectory: join(dataDirectory, 'tools'), mongodbUrl };
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
  await lock.release();
  const { postgres, mongo } = plans;
  say(
    JSON.stringify({
      bench: 'stores',
      min_ratio: Math.min(...measured.map(({ ratio }) => ratio)),
      scans: (postgres?.scans ?? 0) + (mongo?.scans ?? 0),
      plans_checked: { postgres: postgres?.checked ?? 0, mongo: mongo?.checked ?? 0 },
    }),
  );
  process.exit(measured.length === 0 ? 1 : 0);
}

main().catch((error: unknown) => {
  say(`The benchmark could not run: ${error instanceof Error ? error.message : 'unknown error'}`);
  process.exit(1);
});

import { mkdir, rm } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { loadDevConfig } from '../config-dev.js';
import { acquireInstanceLock } from '../embedded/single-instance.js';
import { clearEmbeddedDatabases } from '../embedded/start-embedded-database.js';
import type { Measured } from './bench/stores/measure-operation.js';
import { concurrent } from './bench/stores/measure-operation.js';
import { measureStore } from './bench/stores/measure-store.js';
import { paces } from './bench/stores/paces.js';
import { parseBenchStores } from './bench/stores/parse-options.js';
import { startBenchDatabase } from './bench/stores/start-bench-database.js';

/**
 * `npm run bench:stores [-- --quick] [--stores postgres,mongo,documentdb]`: each operation of the port on each store against
 * the same statements without it. The last line is JSON.
 */
const say = (line: string) => console.log(line);

async function main(): Promise<void> {
  const { quick, stores } = parseBenchStores(process.argv.slice(2));
  const { dataDirectory, mongodbUrl } = loadDevConfig(process.env);
  const directory = join(dataDirectory, 'bench-stores');
  const lock = await acquireInstanceLock(`${directory}-lock`);
  if (!lock.acquired) {
    say(lock.message);
    process.exit(1);
  }
  const pace = quick ? paces.quick : paces.full;
  say(
    `Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, ${process.platform}`,
  );
  say(
    `Settings: ${concurrent} concurrent calls, 10 connections each, fsync on, turns of ${pace.turnMs} ms in ${pace.rounds} rounds (${pace.moreRounds} more where the ratio is below 0.9)`,
  );
  await clearEmbeddedDatabases(directory, say);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const place = { directory, toolsDirectory: join(dataDirectory, 'tools'), mongodbUrl };
  const measured: Measured[] = [];
  for (const store of stores) {
    const database = await startBenchDatabase(store, place, say);
    if (database === null) continue;
    const interrupt = () => void database.stop().finally(() => process.exit(130));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      say(`${store} (${database.label}), operations a second:`);
      measured.push(...(await measureStore(store, database.url, pace, say)));
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      await database.stop();
    }
  }
  await rm(directory, { recursive: true, force: true });
  await lock.release();
  say(JSON.stringify({ bench: 'stores', min_ratio: Math.min(...measured.map(({ ratio }) => ratio)) }));
  process.exit(0);
}

main().catch((error: unknown) => {
  say(`The benchmark could not run: ${error instanceof Error ? error.message : 'unknown error'}`);
  process.exit(1);
});

import { round } from '../statistics.js';
import { sendLoad } from './send-load.js';
import type { Stage } from './stage.js';
import { untilDrained } from './database.js';

const warmUpMs = 3_000;
const loadMs = 15_000;

/** Intake at full load while the worker handles: handled a second. */
export async function measureSustained({
  first,
  database,
  clear,
  startWorker,
  stopWorker,
  say,
}: Stage): Promise<number> {
  await clear();
  await startWorker();
  await sendLoad(first(10), { ms: warmUpMs });
  const before = await database.count('succeeded');
  const startedAt = performance.now();
  const load = await sendLoad(first(10), { ms: loadMs });
  const handled = (await database.count('succeeded')) - before;
  const rate = round((handled * 1000) / (performance.now() - startedAt), 1);
  say(`sustained: ${load.rps} taken in and ${rate} handled a second at the same time`);
  await untilDrained(database, 300_000);
  await stopWorker();
  return rate;
}

import { sendPaced } from './send-load.js';
import type { Stage } from './stage.js';
import { untilDrained } from './database.js';

const warmUpSeconds = 3;
const paceSeconds = 10;
const paces = [
  [100, 10],
  [300, 10],
  [300, 100],
  [300, 1_000],
] as const;

/** From accepted to handled at an even pace, by the database's own times; the figures over 10 integrations. */
export async function measureLatency({ first, database, clear, startWorker, stopWorker, say }: Stage) {
  const latency: Record<string, { p50: number; p99: number }> = {};
  await clear();
  await startWorker();
  for (const [rate, integrations] of paces) {
    await sendPaced(first(integrations), rate, warmUpSeconds);
    const since = new Date();
    await sendPaced(first(integrations), rate, paceSeconds);
    await untilDrained(database, 120_000);
    const { p50, p99 } = await database.latency(since);
    say(`accepted to handled at ${rate} a second over ${integrations} integrations: p50 ${p50} ms, p99 ${p99} ms`);
    if (integrations === 10) latency[rate] = { p50, p99 };
  }
  await stopWorker();
  return latency;
}

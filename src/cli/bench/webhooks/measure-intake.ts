import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, round } from '../statistics.js';
import type { BenchDatabase } from './bench-database.js';
import { sendLoad, type LoadResult, type LoadTarget } from './send-load.js';

const rounds = 5;
const roundMs = 4_000;
const warmUpMs = 2_000;

const median = (values: readonly number[]) => percentile(values, 0.5);

/** Rounds of the bare route and of ours, alternating, each on emptied tables; medians over the rounds. */
export async function measureIntake(
  bare: LoadTarget,
  relink: LoadTarget,
  database: BenchDatabase,
  label: string,
  say: (line: string) => void,
) {
  const results: Record<'bare' | 'relink', LoadResult[]> = { bare: [], relink: [] };
  for (const target of [bare, relink]) await sendLoad(target, { ms: warmUpMs });
  for (let index = 0; index < rounds; index += 1) {
    // Whoever goes first in a round goes second in the next.
    const order = index % 2 === 0 ? (['bare', 'relink'] as const) : (['relink', 'bare'] as const);
    for (const name of order) {
      await database.reset();
      await sleep(300);
      results[name].push(await sendLoad(name === 'bare' ? bare : relink, { ms: roundMs }));
    }
  }
  const sum = (name: 'bare' | 'relink') => ({
    rps: median(results[name].map(result => result.rps)),
    p50: median(results[name].map(result => result.p50)),
    p99: median(results[name].map(result => result.p99)),
  });
  const [ofBare, ofRelink] = [sum('bare'), sum('relink')];
  for (const [name, { rps, p50, p99 }] of [['bare route', ofBare] as const, [label, ofRelink] as const]) {
    say(`${name}: ${rps} requests a second, p50 ${p50} ms, p99 ${p99} ms`);
  }
  return {
    bareRps: ofBare.rps,
    ratio: round(ofRelink.rps / ofBare.rps),
    p99Ratio: round(ofRelink.p99 / ofBare.p99),
    sent: results.relink.reduce((total, result) => total + result.sent, 0),
  };
}

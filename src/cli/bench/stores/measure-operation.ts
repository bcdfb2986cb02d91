import { percentile, round } from '../statistics.js';
import type { BenchTarget, Call, Contender } from './contender.js';
import { countRows, type Operation, type PreparedCalls } from './operation.js';

export const concurrent = 16;

export interface Pace {
  /** How long one contender's turn is to take. */
  readonly turnMs: number;
  readonly rounds: number;
  /** At least so many calls in a turn. */
  readonly fewest: number;
  /** After so long no further round is begun, but for the first three. */
  readonly atMostMs: number;
  /** Further rounds for an operation whose ratio looks low, so that it is no accident of a few. */
  readonly moreRounds: number;
}

export interface Measured {
  readonly name: string;
  /** Medians of the rounds, operations a second. */
  readonly port: number;
  readonly bare: number;
  readonly driver: number | null;
  /** The median of port by bare, of the rounds' own pairs. */
  readonly ratio: number;
}

const most = 2_000;
const low = 0.9;

/** The contenders in turns whose order alternates, each on rows of its own, after a warm-up of all of them. */
export async function measureOperation(target: BenchTarget, operation: Operation, pace: Pace): Promise<Measured> {
  const fewest = target.growsSlow ? concurrent : pace.fewest;
  const rates = new Map<Contender['name'], number[]>(target.contenders.map(({ name }) => [name, []]));
  const ratesOf = (name: Contender['name']) => rates.get(name) ?? [];

  /** Reads find the same rows each time, and each contender those of the others; writes need new ones. */
  let shared: PreparedCalls | undefined;
  const kept = new Map<Contender, Call>();
  async function turn(contender: Contender, count: number): Promise<{ readonly rate: number; readonly rows: number }> {
    let call = kept.get(contender);
    if (call === undefined) {
      const calls = shared ?? (await operation.prepare(target.scene, count));
      if (!operation.writes) shared = calls;
      call = await contender.ready(operation, calls);
      if (!operation.writes) kept.set(contender, call);
    }
    const run = await race(call, count);
    if (operation.writes && target.growsSlow) await target.clear();
    return run;
  }

  let slowest = Infinity;
  for (const count of target.growsSlow ? [fewest] : [fewest, 2 * fewest]) {
    slowest = Infinity;
    for (const contender of target.contenders) slowest = Math.min(slowest, (await turn(contender, count)).rate);
  }
  kept.clear();
  shared = undefined;
  if (target.growsSlow) await target.clear();
  const count = Math.min(most, Math.max(fewest, Math.round((slowest * pace.turnMs) / 1_000)));

  const begun = performance.now();
  const runRounds = async (rounds: number) => {
    for (let place = 0; place < rounds; place += 1) {
      if (ratesOf('port').length >= 3 && performance.now() - begun > pace.atMostMs) return;
      const order = place % 2 === 0 ? target.contenders : [...target.contenders].reverse();
      const rows = new Map<Contender['name'], number>();
      for (const contender of order) {
        const run = await turn(contender, count);
        ratesOf(contender.name).push(run.rate);
        rows.set(contender.name, run.rows);
      }
      if (rows.get('port') !== rows.get('bare')) {
        throw new Error(`${operation.name}: ${rows.get('port')} rows by the port, ${rows.get('bare')} without it`);
      }
    }
  };
  const ratio = () =>
    percentile(
      ratesOf('port').map((rate, place) => rate / (ratesOf('bare')[place] ?? NaN)),
      0.5,
    );
  await runRounds(pace.rounds);
  if (ratio() < low) await runRounds(pace.moreRounds);
  await target.clear();
  const rateOf = (name: Contender['name']) => Math.round(percentile(ratesOf(name), 0.5));
  return {
    name: operation.name,
    port: rateOf('port'),
    bare: rateOf('bare'),
    driver: ratesOf('driver').length === 0 ? null : rateOf('driver'),
    ratio: round(ratio()),
  };
}

/** So many calls by callers that each make the next one when theirs has ended. */
async function race(call: Call, count: number) {
  let [next, rows] = [0, 0];
  const caller = async () => {
    while (next < count) {
      const result = await call(next++);
      rows += countRows(result);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrent }, caller));
  return { rate: (count * 1_000) / (performance.now() - begun), rows };
}

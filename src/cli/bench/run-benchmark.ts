import { cpus, totalmem } from 'node:os';
import { acquireInstanceLock } from '../../embedded/single-instance.js';

/** What a benchmark prints stands in the order of its steps, its JSON last. */
export const say = (line: string): void => console.log(line);

export interface Benchmark {
  /** One runs at a time over these data. */
  readonly lockDirectory: string;
  readonly settings: string;
  readonly measure: () => Promise<BenchmarkResult>;
}

export interface BenchmarkResult {
  /** The last line, as JSON. */
  readonly line: Readonly<Record<string, unknown>>;
  /** False: an aim was missed that decides the exit code (something lost or done twice), or nothing was measured. */
  readonly isSafe: boolean;
}

/**
 * The frame of all benchmarks: machine and settings first, then what it measures, its JSON last. Ends the process, with 1
 * where the result is not safe or none came about.
 */
export function runBenchmark(prepare: () => Benchmark): void {
  run(prepare).then(
    isSafe => process.exit(isSafe ? 0 : 1),
    (error: unknown) => {
      say(`The benchmark could not run: ${error instanceof Error ? error.message : 'unknown error'}`);
      process.exit(1);
    },
  );
}

async function run(prepare: () => Benchmark): Promise<boolean> {
  const { lockDirectory, settings, measure } = prepare();
  const lock = await acquireInstanceLock(lockDirectory);
  if (!lock.acquired) {
    say(lock.message);
    return false;
  }
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const [core] = cpus();
  say(
    `Machine: ${cpus().length} cores (${core?.model ?? 'unknown'}), ${memoryGb} GB, Node ${process.version}, ${process.platform}`,
  );
  say(`Settings: ${settings}`);
  const { line, isSafe } = await measure();
  await lock.release();
  say(JSON.stringify(line));
  return isSafe;
}

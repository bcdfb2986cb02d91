import type { BenchStack } from '../start-bench-stack.js';
import { percentile, round } from '../statistics.js';
import type { Callers } from './callers.js';
import { connectAccount } from './connect-account.js';

const pairs = 3_000;
const warmUp = 500;

/** A handler's request with a living token against a bare undici call to the same address, in turns; ratio of the p50s. */
export async function measureFastPath(stack: BenchStack, fleet: Callers, say: (line: string) => void): Promise<number> {
  const { integrationId } = await connectAccount(stack, 'acme');
  const url = `${stack.sandbox.url}/identity`;
  const { ms, bareMs } = await fleet.one({ task: 'fast_path', integrationId, pairs: pairs + warmUp, url });
  const [ours, bare] = [ms, bareMs].map(times => percentile(times.slice(warmUp), 0.5));
  const ratio = round((ours ?? NaN) / (bare ?? NaN));
  say(
    `request() with a living token: p50 ${round(ours ?? NaN, 3)} ms, bare undici ${round(bare ?? NaN, 3)} ms, ratio ${ratio}`,
  );
  return ratio;
}

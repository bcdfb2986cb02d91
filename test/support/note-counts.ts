import { noopMetricMeter } from '@temporalio/common';

/** What activities in a mock environment count while this runs: name, number and labels of each. */
export async function noteCounts(run: () => Promise<unknown>): Promise<readonly unknown[]> {
  const counted: unknown[] = [];
  const { createCounter } = noopMetricMeter;
  const spy = jest.spyOn(noopMetricMeter, 'createCounter').mockImplementation((name, ...more) => ({
    ...createCounter.call(noopMetricMeter, name, ...more),
    add: (...added) => void counted.push([name, ...added]),
  }));
  try {
    await run();
  } finally {
    spy.mockRestore();
  }
  return counted;
}

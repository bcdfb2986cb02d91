import { planShutdown } from '../../../src/temporal/plan-shutdown.js';

it.each([
  ['as it is by default', 15_000, { forceMs: 25_000, longestStopMs: 45_000 }],
  ['at its shortest', 1_000, { forceMs: 15_000, longestStopMs: 45_000 }],
  ['at its longest', 60_000, { forceMs: 70_000, longestStopMs: 90_000 }],
])('a stop lasts longer than the timeout of a refresh, %s', (_how, refreshTimeoutMs, plan) => {
  expect(planShutdown(refreshTimeoutMs)).toEqual(plan);
});

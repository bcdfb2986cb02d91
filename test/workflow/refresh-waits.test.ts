import type { RefreshOutcome } from '../../src/credentials/credential-refresher.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, record, refresh, resultOf, spoil } = createRefreshScene(() => stack);

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterAll(() => stack.stop());

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const waitOf = (outcome: RefreshOutcome) => {
  if (outcome.kind !== 'pending') throw new Error(`${outcome.kind} instead of pending`);
  return outcome.retryAfterMs;
};

it('whoever comes later is told of the wait that there is then, or joins the request that is under way', async () => {
  const credential = await connect(stack.user());
  await spoil({ status: 429, retryAfter: 6 });
  await spoil({ status: 429, retryAfter: 9 });
  await spoil({ kind: 'late', delayMs: 2_000 });
  const first = waitOf(await refresh(credential));
  expect(first).toBeGreaterThan(5_000);
  await pause(1_500);
  // The same time, which has come nearer.
  expect(waitOf(await refresh(credential))).toBeLessThan(first - 1_000);

  await pause(first - 500);
  const [second = 0, third] = (await Promise.all([refresh(credential), refresh(credential)])).map(waitOf);
  expect(second).toBeGreaterThan(5_000);
  expect(third).toBe(second);

  await pause(second + 500);
  expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
  expect(await resultOf(credential)).toEqual({ outcome: 'refreshed', generation: 2 });
  await record(credential, 'refresh-waits-told');
}, 60_000);

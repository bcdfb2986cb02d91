import { setTimeout as sleep } from 'node:timers/promises';
import type { IntegrationId } from '../../../src/domain/ids.js';
import { Waker } from '../../../src/http/intake/waker.js';
import { createLog } from '../../../src/log.js';

const idOf = (n: number) => `int_${n}` as IntegrationId;

/** Temporal's part: notes each wake, and lets a test say how long one takes and whether it fails. */
function startWaker(answer: () => Promise<void> = () => sleep(20), isLookedAfter = () => Promise.resolve(false)) {
  const begun: string[] = [];
  const lines: string[] = [];
  const outcomes: string[] = [];
  const at = { once: 0, most: 0 };
  const running = new Map<string, number>();
  const waker = new Waker(
    {
      wakeWebhooks: async id => {
        begun.push(id);
        running.set(id, (running.get(id) ?? 0) + 1);
        expect(running.get(id)).toBe(1);
        at.once += 1;
        at.most = Math.max(at.most, at.once);
        try {
          await answer();
        } finally {
          at.once -= 1;
          running.set(id, 0);
        }
      },
    },
    createLog('info', 'test', { write: line => void lines.push(line) }),
    outcome => void outcomes.push(outcome),
    isLookedAfter,
  );
  return { waker, begun, lines, outcomes, at };
}

test('one wake in flight, and one that begins after the last commit, no sooner than the pause is over', async () => {
  const { waker, begun } = startWaker();
  const startedAt = Date.now();
  for (let n = 0; n < 100; n += 1) waker.wake(idOf(1));
  await sleep(5);
  expect(begun).toHaveLength(1);
  await sleep(100);
  waker.wake(idOf(1));
  expect(begun).toHaveLength(1);
  while (begun.length < 2) await sleep(5);
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(890);
  await sleep(1_200);
  expect(begun).toHaveLength(2);
  waker.wake(idOf(1));
  await sleep(5);
  expect(begun).toHaveLength(3);
});

test('sixteen at once over all integrations, and all of them', async () => {
  const { waker, begun, at } = startWaker();
  for (let n = 0; n < 100; n += 1) waker.wake(idOf(n));
  while (begun.length < 100) await sleep(5);
  expect(at.most).toBe(16);
  expect(new Set(begun).size).toBe(100);
});

test('while Temporal is away they wait, few of them try, and two lines tell of it', async () => {
  let isDown = true;
  const { waker, begun, lines, outcomes } = startWaker(async () => {
    await sleep(1);
    if (isDown) throw new Error('down');
  });
  for (let n = 0; n < 100; n += 1) waker.wake(idOf(n));
  await sleep(700);
  expect(begun.length).toBeLessThanOrEqual(48);
  expect(lines).toHaveLength(1);
  isDown = false;
  while (outcomes.filter(outcome => outcome === 'sent').length < 100) await sleep(5);
  expect(lines).toEqual([
    expect.stringContaining('Temporal cannot be reached'),
    expect.stringContaining('Temporal is back'),
  ]);
});

test('closing sends what waits, at once', async () => {
  const { waker, begun } = startWaker();
  waker.wake(idOf(1));
  await sleep(50);
  waker.wake(idOf(1));
  const startedAt = Date.now();
  await waker.close(2_000);
  expect(begun).toHaveLength(2);
  expect(Date.now() - startedAt).toBeLessThan(700);
  waker.wake(idOf(2));
  expect(begun).toHaveLength(2);
});

test('closing gives up at once while Temporal is away, and in time when it hangs', async () => {
  const away = startWaker(() => Promise.reject(new Error('down')));
  away.waker.wake(idOf(1));
  await sleep(20);
  const startedAt = Date.now();
  await away.waker.close(2_000);
  expect(Date.now() - startedAt).toBeLessThan(1_500);

  const hanging = startWaker(() => sleep(5_000, undefined, { ref: false }));
  hanging.waker.wake(idOf(1));
  const closingAt = Date.now();
  await hanging.waker.close(100);
  expect(Date.now() - closingAt).toBeLessThan(4_000);
});

test('no wake for a consumer that looks once more anyway, and one as soon as it does not', async () => {
  let looks = true;
  const { waker, begun, outcomes } = startWaker(undefined, () => Promise.resolve(looks));
  waker.wake(idOf(1));
  await sleep(50);
  expect({ begun, outcomes }).toEqual({ begun: [], outcomes: ['spared'] });
  looks = false;
  waker.wake(idOf(1));
  while (outcomes.length < 2) await sleep(5);
  expect({ begun, outcomes }).toEqual({ begun: [idOf(1)], outcomes: ['spared', 'sent'] });
});

test('what is not only for deliveries wakes also a consumer that looks for those', async () => {
  const { waker, begun, outcomes } = startWaker(undefined, () => Promise.resolve(true));
  waker.wake(idOf(1));
  waker.wake(idOf(2), { always: true });
  while (outcomes.length < 2) await sleep(5);
  expect(begun).toEqual([idOf(2)]);
  // Asked for in the pause after a spared one.
  waker.wake(idOf(1), { always: true });
  waker.wake(idOf(1));
  while (outcomes.length < 3) await sleep(5);
  expect(begun).toEqual([idOf(2), idOf(1)]);
});

test('one that has to be sent stays so when Temporal did not take it', async () => {
  let tries = 0;
  const { waker, outcomes } = startWaker(
    () => ((tries += 1) === 1 ? Promise.reject(new Error('down')) : Promise.resolve()),
    () => Promise.resolve(true),
  );
  waker.wake(idOf(1), { always: true });
  while (outcomes.length < 2) await sleep(5);
  expect(outcomes).toEqual(['failed', 'sent']);
});

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callHandlers, type Callers } from '../../support/call-handlers.js';

const done = { kind: 'done', subscription: null };
const megabytes = 1024 * 1024;

let callers: Callers;
beforeEach(async () => {
  callers = callHandlers({ threads: 1 });
  await callers.run({ do: 'nothing' });
});
afterEach(() => callers.host.close());

/** By how many megabytes the process had grown at most while this ran. */
async function growthDuring(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  await work();
  clearInterval(timer);
  return (most - before) / megabytes;
}

describe('what quick handlers keep', () => {
  it.each([false, true])(
    'is bounded together, and costs none of them (alone: %s)',
    async alone => {
      const answers: unknown[] = [];
      const growth = await growthDuring(async () => {
        for (let call = 0; call < 150; call += 1) {
          answers.push(await callers.run({ do: 'keep', mb: 5 }, { alone }));
          await sleep(10);
        }
      });
      expect(answers).toEqual(answers.map(() => done));
      expect(growth).toBeLessThan(400);
    },
    60_000,
  );

  it('is bounded also when they go on after they returned', async () => {
    const growth = await growthDuring(async () => {
      expect(await callers.run({ do: 'keepOn', mb: 10, everyMs: 20 })).toEqual(done);
      await sleep(3_000);
    });
    expect(growth).toBeLessThan(400);
    expect(await callers.run({ do: 'nothing' })).toEqual(done);
  });
});

describe('a loop that a finished handler left', () => {
  it.each([false, true])('costs the next one nothing but time (alone: %s)', async alone => {
    expect(await callers.run({ do: 'loopSoon', ms: 20 }, { alone })).toEqual(done);
    await sleep(100);
    expect(await callers.run({ do: 'nothing' }, { alone })).toEqual(done);
  });

  it('keeps nobody who is called off', async () => {
    expect(await callers.run({ do: 'loopSoon', ms: 20 })).toEqual(done);
    await sleep(100);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('the worker stops')), 100);
    const begun = Date.now();
    await expect(callers.run({ do: 'nothing' }, {}, controller.signal)).rejects.toThrow('the worker stops');
    expect(Date.now() - begun).toBeLessThan(1_000);
  });
});

describe('a host', () => {
  it('leaves no timer behind: of threads that ended, and of threads that never loaded', async () => {
    const begun = jest.spyOn(globalThis, 'setInterval');
    const ended = jest.spyOn(globalThis, 'clearInterval');
    const unloadable = callHandlers({ modulePath: join(__dirname, 'no-such-module.cjs') });
    for (let call = 0; call < 3; call += 1) {
      expect(await unloadable.run({ do: 'nothing' })).toMatchObject({ reason: 'handler_missing' });
      expect(await callers.run({ do: 'exit' })).toMatchObject({ kind: 'crashed' });
    }
    const cleared = new Set(ended.mock.calls.map(([timer]) => timer));
    const timers = begun.mock.results.map(({ value }) => value as NodeJS.Timeout);
    jest.restoreAllMocks();
    expect(timers.filter(timer => !cleared.has(timer)).length).toBe(0);
  });
});

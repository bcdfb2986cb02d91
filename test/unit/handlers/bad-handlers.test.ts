import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { productionNodeFlags } from '../../../src/embedded/process/production-flags.js';
import { callHandlers, type Callers } from '../../support/call-handlers.js';

const done = { kind: 'done', subscription: null };
const timedOut = { kind: 'failed', reason: 'handler_timed_out', retryable: true, retryAfterMs: null };

let callers: Callers;
beforeEach(() => (callers = callHandlers()));
afterEach(() => callers.host.close());

/** The host serves the next call as if nothing had been. */
async function isAlive(): Promise<void> {
  expect(await callers.run({ do: 'nothing' })).toEqual(done);
}

describe('a handler that takes too long', () => {
  it.each(['hang', 'obey'])('is told, and answered for (%s)', async action => {
    await callers.run({ do: 'nothing' });
    const begun = Date.now();
    const answer = await callers.run({ do: action }, { timeoutMs: 300 });
    expect(answer).toEqual({ ...timedOut, detail: 'took longer than 300 ms' });
    expect(Date.now() - begun).toBeLessThan(2_000);
    await isAlive();
  });

  it('and still gets done has done its work', async () => {
    expect(await callers.run({ do: 'finishOnAbort' }, { timeoutMs: 300 })).toEqual(done);
  });

  it('leaves those beside it alone', async () => {
    const beside = Array.from({ length: 10 }, () => callers.run({ do: 'wait', ms: 1_500 }));
    expect(await callers.run({ do: 'hang' }, { timeoutMs: 300 })).toMatchObject(timedOut);
    expect(await Promise.all(beside)).toEqual(beside.map(() => done));
    await isAlive();
  });

  it('many times over leaves the host with few threads', async () => {
    const before = process.memoryUsage.rss();
    const beside = Array.from({ length: 4 }, () => callers.run({ do: 'wait', ms: 4_000 }));
    const answers = [];
    for (let round = 0; round < 5; round += 1) {
      const calls = Array.from({ length: 8 }, () => callers.run({ do: 'hang' }, { timeoutMs: 100 }));
      answers.push(...(await Promise.all(calls)));
    }
    expect(answers).toEqual(answers.map(() => expect.objectContaining(timedOut) as unknown));
    expect(await Promise.all(beside)).toEqual(beside.map(() => done));
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1024 * 1024);
    await isAlive();
  });

  it('ends with the reason of its signal when it is called off', async () => {
    const controller = new AbortController();
    const call = callers.run({ do: 'hang' }, {}, controller.signal);
    setTimeout(() => controller.abort(new Error('the worker stops')), 200);
    await expect(call).rejects.toThrow('the worker stops');
    await expect(callers.run({ do: 'nothing' }, {}, controller.signal)).rejects.toThrow('the worker stops');
    await isAlive();
  });
});

describe('a handler that blocks its thread', () => {
  it('is ended, and counts as the crash', async () => {
    expect(await callers.run({ do: 'busy' })).toEqual({ kind: 'crashed', detail: 'its event loop was blocked' });
    await isAlive();
  });

  it('past its own time has timed out; those beside it crashed', async () => {
    await callers.host.close();
    callers = callHandlers({ threads: 1 });
    const beside = callers.run({ do: 'wait', ms: 15_000 });
    expect(await callers.run({ do: 'busy' }, { timeoutMs: 500 })).toMatchObject(timedOut);
    expect(await beside).toEqual({ kind: 'crashed', detail: 'its event loop was blocked' });
    await isAlive();
  });

  it('for a second only is left to it', async () => {
    expect(await callers.run({ do: 'burn', ms: 1_000 })).toEqual(done);
  });

  it('is not blamed for a host that was busy itself', async () => {
    const call = callers.run({ do: 'wait', ms: 1_000 });
    await sleep(300);
    const until = Date.now() + 4_000;
    while (Date.now() < until);
    expect(await call).toEqual(done);
  });
});

describe('a handler that ends its thread', () => {
  it.each([
    ['exit', 'it ended'],
    ['uncaught', 'an uncaught Error'],
    ['unhandled', 'an uncaught Error'],
  ])('%s: the calls in it crashed, the host lives', async (action, detail) => {
    await callers.host.close();
    callers = callHandlers({ threads: 1 });
    const beside = callers.run({ do: 'wait', ms: 10_000 });
    expect(await callers.run({ do: action })).toEqual({ kind: 'crashed', detail });
    expect(await beside).toEqual({ kind: 'crashed', detail });
    await isAlive();
  });

  it('abort is refused to it', async () => {
    expect(await callers.run({ do: 'abort' })).toMatchObject({ kind: 'failed', reason: 'handler_failed' });
  });
});

describe('a handler that floods memory', () => {
  it.each(['objects', 'arrays', 'map', 'properties', 'spread', 'buffers', 'laterBuffers', 'laterObjects', 'messages'])(
    'with %s is ended, and the process lives',
    async how => {
      const answer = await callers.run({ do: 'flood', how });
      expect(answer.kind).toBe('crashed');
      await isAlive();
    },
    60_000,
  );

  it('is ended under the flags of production too', async () => {
    const support = join(__dirname, '../../support');
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...productionNodeFlags,
      join(support, 'run-typescript.cjs'),
      join(support, 'handlers/flood-host.ts'),
    ]);
    expect(JSON.parse(stdout)).toEqual([...Array<string>(8).fill('crashed'), 'done']);
  }, 120_000);

  it('and one that makes much garbage are told apart', async () => {
    expect(await callers.run({ do: 'churn', ms: 2_000 })).toEqual(done);
  });
});

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelinkError } from '../../../src/errors.js';
import { callHandlers, type Callers } from '../../support/call-handlers.js';

const done = { kind: 'done', subscription: null };
const failure = { kind: 'failed', retryable: true, retryAfterMs: null };
const timedOut = { ...failure, reason: 'handler_timed_out' };

const answered = { status: 200, headers: {}, text: '{}' };

let callers: Callers;
beforeEach(() => (callers = callHandlers()));
afterEach(() => callers.host.close());

describe('a handler', () => {
  it('gets the delivery and the context, and none of the settings of the process', async () => {
    expect(await callers.run({ do: 'look' })).toEqual(done);
    expect(callers.lines).toEqual([
      {
        level: 'info',
        message: 'seen',
        fields: {
          environment: 0,
          isBuffer: true,
          // Its own bytes alone: a pool would hold other people's.
          backing: 13,
          length: 13,
          key: 'delivery-1',
          attempt: 3,
          header: 'application/json',
          color: 'red',
        },
      },
    ]);
  });

  it('may return anything', async () => {
    expect(await callers.run({ do: 'nothing' })).toEqual(done);
  });

  it.each([
    [{ do: 'throw' }, 'TypeError'],
    [{ do: 'throwText' }, 'threw something that is no Error'],
    [{ do: 'throwFrozen' }, 'threw an Error that cannot be read'],
    [{ do: 'throwNamed' }, 'Error'],
    [{ do: 'no such action' }, 'TypeError'],
    [{ do: 'readFile', path: '/no/such/file' }, 'ENOENT'],
  ])('that fails with %j shows no message of its error', async (body, detail) => {
    expect(await callers.run(body)).toEqual({ ...failure, reason: 'handler_failed', detail });
  });

  it('may say itself what is wrong, and whether and when to come again', async () => {
    expect(await callers.run({ do: 'refuse', message: 'm'.repeat(400), retryAfterMs: 5_000 })).toEqual({
      ...failure,
      reason: 'handler_failed',
      detail: 'm'.repeat(300),
      retryAfterMs: 5_000,
    });
    expect(await callers.run({ do: 'refuse', message: 'never', retryable: false })).toEqual({
      ...failure,
      reason: 'handler_refused',
      detail: 'never',
      retryable: false,
    });
  });

  it.each([
    [-5, 0],
    [1e12, 24 * 3_600_000],
    ['soon', null],
    [null, null],
  ])('that asks to come again after %p is taken as %p', async (retryAfterMs, taken) => {
    expect(await callers.run({ do: 'refuse', message: 'x', retryAfterMs })).toMatchObject({ retryAfterMs: taken });
  });

  it('that does not exist is missing', async () => {
    const missing = { ...failure, reason: 'handler_missing', detail: null };
    expect(await callers.run({}, { type: 'bare' })).toEqual(missing);
    expect(await callers.run({}, { type: 'removed' })).toEqual(missing);
    await callers.host.close();
    callers = callHandlers({ modulePath: null });
    expect(await callers.run({})).toEqual(missing);
  });

  it('of a module that cannot be loaded is missing, and crashed nothing', async () => {
    await callers.host.close();
    callers = callHandlers({ modulePath: join(__dirname, 'no-such-module.cjs') });
    const answer = await callers.run({ do: 'nothing' });
    expect(answer).toMatchObject({ ...failure, reason: 'handler_missing' });
    expect(answer).toHaveProperty('detail', expect.stringContaining('RELINK_INTEGRATIONS'));
  });

  it('writes flat, bounded log lines', async () => {
    expect(await callers.run({ do: 'log' })).toEqual(done);
    expect(callers.lines).toEqual([
      { level: 'info', message: 'plain', fields: { text: 'x'.repeat(500), count: 1, flag: true, none: null } },
      { level: 'warn', message: 'y'.repeat(500), fields: {} },
      { level: 'info', message: 'not a text', fields: {} },
    ]);
    callers.lines.length = 0;
    await callers.run({ do: 'talk' });
    expect(callers.lines).toHaveLength(1_000);
  });

  it('that posts messages of its own changes nothing', async () => {
    expect(await callers.run({ do: 'junk' })).toEqual(done);
    expect(callers.lines).toEqual([]);
    expect(await callers.run({ do: 'nothing' })).toEqual(done);
  });
});

describe('ensureSubscription and onReconnected', () => {
  const ensure = (answer: string) =>
    callers.run(
      {},
      {
        type: 'subscribing',
        task: { kind: 'ensure_subscription' },
        facts: {
          integrationId: 'i',
          userId: 'u',
          entities: [],
          config: { answer },
          webhookUrl: 'https://relink.test',
          idempotencyKey: 'k',
          attempt: 1,
        },
      },
    );

  it('bring a subscription, or none', async () => {
    expect(await ensure('good')).toEqual({
      kind: 'done',
      subscription: { secrets: ['newest', 'older'], expiresAt: new Date('2030-01-02T03:04:05Z') },
    });
    expect(await ensure('nothing')).toEqual(done);
  });

  it.each([
    ['text', 'the value'],
    ['date', 'expiresAt'],
    ['yearTooHigh', 'expiresAt'],
    ['yearTooLow', 'expiresAt'],
    ['number', 'secrets.0'],
  ])('a wrong answer (%s) is a failure that names %s', async (answer, field) => {
    expect(await ensure(answer)).toEqual({
      ...failure,
      reason: 'handler_failed',
      detail: `ensureSubscription must return {secrets, expiresAt} or null; wrong: ${field}`,
    });
  });

  it('are told since when to make up', async () => {
    const task = { kind: 'reconnected', since: '2026-11-20T10:00:00.000Z' } as const;
    expect(await callers.run({}, { type: 'subscribing', task })).toEqual(done);
    expect(callers.lines).toMatchObject([{ message: 'made up', fields: { since: task.since } }]);
    expect(await callers.run({}, { type: 'bare', task })).toEqual(done);
  });
});

describe('context.request', () => {
  it('does not charge a handler for the time that its credential is tested', async () => {
    const calm = callHandlers({ request: (_wanted, clock) => clock!.during(sleep(1_200).then(() => answered)) });
    const slow = callHandlers({ request: () => sleep(1_200).then(() => answered) });
    const body = { do: 'request', wanted: { url: '/' } };
    try {
      expect(await calm.run(body, { timeoutMs: 600 })).toEqual(done);
      expect(await slow.run(body, { timeoutMs: 600 })).toMatchObject(timedOut);
      expect(await calm.run({ ...body, do: 'requestAndHang' }, { timeoutMs: 600 })).toMatchObject(timedOut);
    } finally {
      await calm.host.close();
      await slow.host.close();
    }
  });

  it('is made by the service', async () => {
    const wanted = { url: '/v1/contacts', method: 'POST', json: { a: 1 }, headers: { x: 'y' } };
    expect(await callers.run({ do: 'request', wanted })).toEqual(done);
    expect(callers.requests).toEqual([wanted]);
    expect(callers.lines).toMatchObject([{ message: 'answered 200' }]);
  });

  it.each([
    [{ do: 'request', wanted: { url: 7 } }, 'invalid_request'],
    [{ do: 'request', wanted: { url: '/', method: 'CONNECT' } }, 'invalid_request'],
    [{ do: 'request', wanted: null }, 'invalid_request'],
    [{ do: 'requestBadly' }, 'DataCloneError'],
  ])('%j is refused and sends nothing', async (body, detail) => {
    expect(await callers.run(body)).toEqual({ ...failure, reason: 'handler_failed', detail });
    expect(callers.requests).toEqual([]);
  });

  const failWith = async (error: Error, body: Record<string, unknown>, more = {}) => {
    await callers.host.close();
    callers = callHandlers({ request: () => Promise.reject(error) });
    return await callers.run({ wanted: { url: '/' }, ...body }, more);
  };

  it('fails by the code of the service, or as something internal', async () => {
    expect(await failWith(new RelinkError('provider_unavailable'), { do: 'request' })).toMatchObject({
      reason: 'handler_failed',
      detail: 'provider_unavailable',
    });
    expect(await failWith(new Error('with a secret'), { do: 'request' })).toMatchObject({ detail: 'internal' });
  });

  it.each(['request', 'requestAndForget', 'requestAndHang'])(
    'that met a dead credential makes it the outcome of the call (%s)',
    async action => {
      const answer = await failWith(new RelinkError('credential_dead'), { do: action }, { timeoutMs: 500 });
      expect(answer).toEqual({ ...failure, reason: 'credential_dead', detail: null });
    },
  );

  it('that has to wait gives its call the time, and not less than the usual one', async () => {
    const later = new RelinkError('rate_limited', 'sandbox', { retryAfterMs: 90_000 });
    expect(await failWith(later, { do: 'request' })).toMatchObject({ detail: 'rate_limited', retryAfterMs: 90_000 });
    const soon = new RelinkError('refresh_pending', 'sandbox', { retryAfterMs: 1 });
    const answer = await failWith(soon, { do: 'request' });
    expect(answer.kind === 'failed' && (answer.retryAfterMs ?? 0) >= 1_000).toBe(true);
  });

  it('is not made for a call that is over', async () => {
    // A second call keeps the thread alive while the first one goes on.
    const other = callers.run({ do: 'wait', ms: 1_500 });
    const one = callHandlers({ threads: 1 });
    try {
      const second = one.run({ do: 'wait', ms: 1_500 });
      expect(await one.run({ do: 'requestOnAbort', wanted: { url: '/' } }, { timeoutMs: 300 })).toMatchObject(timedOut);
      expect(await second).toEqual(done);
      expect(one.requests).toEqual([]);
    } finally {
      await one.host.close();
    }
    expect(await other).toEqual(done);
  });
});

describe('many calls', () => {
  it('run at the same time', async () => {
    const { signal } = new AbortController();
    await callers.run({ do: 'nothing' });
    const begun = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => callers.run({ do: 'wait', ms: 500 }, {}, signal)),
    );
    expect(answers).toEqual(answers.map(() => done));
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  it('have a thread to themselves when they ask for it, a few at once', async () => {
    const calls = Array.from({ length: 6 }, (_, index) =>
      callers.run(index === 2 ? { do: 'exit' } : { do: 'wait', ms: 50 }, { alone: true }),
    );
    const kinds = (await Promise.all(calls)).map(answer => answer.kind);
    expect(kinds).toEqual(['done', 'done', 'crashed', 'done', 'done', 'done']);
  });

  it('that wait for a thread of their own can be called off', async () => {
    const running = [1, 2].map(() => callers.run({ do: 'wait', ms: 500 }, { alone: true }));
    const controller = new AbortController();
    const waiting = callers.run({ do: 'nothing' }, { alone: true }, controller.signal);
    controller.abort(new Error('the claim is lost'));
    await expect(waiting).rejects.toThrow('the claim is lost');
    expect(await Promise.all(running)).toEqual([done, done]);
    expect(await callers.run({ do: 'nothing' }, { alone: true })).toEqual(done);
  });
});

describe('built-in handlers', () => {
  it('run without a module, are given their time, and never reject', async () => {
    const { host, run } = callHandlers({
      modulePath: null,
      builtIn: {
        good: () => Promise.resolve({ kind: 'done', subscription: null }),
        hanging: () => new Promise(() => undefined),
        broken: () => Promise.reject(new Error('x')),
      },
    });
    expect(await run({}, { type: 'good' })).toEqual(done);
    expect(await run({}, { type: 'hanging', timeoutMs: 100 })).toMatchObject(timedOut);
    expect(await run({}, { type: 'broken' })).toMatchObject({ reason: 'handler_failed' });
    await host.close();
  });
});

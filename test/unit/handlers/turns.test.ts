import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callHandlers, type Callers } from '../../support/call-handlers.js';

const done = { kind: 'done', subscription: null };

let callers: Callers;
beforeEach(() => (callers = callHandlers()));
afterEach(() => callers.host.close());

const says = (count: number) => Array.from({ length: count }, (_, index) => ({ do: 'say', text: String(index) }));
const openUntil = (inMs: number) => ({ onBegin: () => Promise.resolve(Date.now() + inMs) });
const said = () => callers.lines.map(line => line.message);

describe('a turn', () => {
  it('runs its calls one after the other, in order', async () => {
    const slowFirst = [{ do: 'wait', ms: 200 }, ...says(20)];
    expect(await callers.runInTurn(slowFirst)).toEqual({ ended: 21, answers: slowFirst.map(() => done) });
    expect(said()).toEqual(says(20).map(({ text }) => text));
  });

  it('tells each end while the next one runs', async () => {
    await callers.run({ do: 'nothing' });
    let endedFirst = 0;
    const begun = Date.now();
    await callers.runInTurn([{ do: 'nothing' }, { do: 'wait', ms: 600 }], {
      onAnswer: index => {
        if (index === 0) endedFirst = Date.now() - begun;
      },
    });
    expect(endedFirst).toBeLessThan(400);
  });

  it.each([
    ['throw', 'failed'],
    ['exit', 'crashed'],
  ])('ends with the first that is not done (%s), and begins none behind it', async (action, kind) => {
    const { ended, answers } = await callers.runInTurn([...says(2), { do: action }, { do: 'say', text: 'too far' }]);
    expect(ended).toBe(3);
    expect(answers.map(answer => answer.kind)).toEqual(['done', 'done', kind]);
    await sleep(50);
    expect(said()).toEqual(['0', '1']);
  });

  it('begins none behind one that ran out of time, also when that one ends later', async () => {
    // A second call keeps the thread alive meanwhile.
    const one = callHandlers({ threads: 1 });
    try {
      const beside = one.run({ do: 'wait', ms: 2_200 });
      const bodies = [{ do: 'wait', ms: 1_800 }, ...says(1)];
      const { ended, answers } = await one.runInTurn(bodies, { call: { timeoutMs: 300 } });
      expect({ ended, answers }).toMatchObject({ ended: 1, answers: [{ reason: 'handler_timed_out' }] });
      expect(await beside).toEqual(done);
      expect(one.lines).toEqual([]);
    } finally {
      await one.host.close();
    }
  });

  it('gives each of its calls the whole time of a call', async () => {
    await callers.run({ do: 'nothing' });
    const bodies = Array.from({ length: 4 }, () => ({ do: 'wait', ms: 400 }));
    expect((await callers.runInTurn(bodies, { call: { timeoutMs: 1_400 } })).ended).toBe(4);
  });

  it('begins its first call and no other once its permission is over', async () => {
    expect((await callers.runInTurn(says(3), openUntil(-1))).ended).toBe(1);
    expect(said()).toEqual(['0']);
    const bodies = [{ do: 'burn', ms: 120 }, { do: 'burn', ms: 120 }, ...says(5)];
    expect((await callers.runInTurn(bodies, openUntil(180))).ended).toBe(2);
  });

  it('keeps what one handler does to its context from the next', async () => {
    await callers.runInTurn([{ do: 'spoilConfig' }, { do: 'spoilConfig' }]);
    expect(said()).toEqual(['red', 'red']);
  });

  it('lets its thread hear the others while quick handlers follow each other', async () => {
    const one = callHandlers({ threads: 1 });
    try {
      await one.run({ do: 'nothing' });
      let isOver = false;
      const bodies = Array.from({ length: 60 }, () => ({ do: 'burn', ms: 20 }));
      const turn = one.runInTurn(bodies).then(() => (isOver = true));
      await sleep(50);
      expect(await one.run({ do: 'nothing' })).toEqual(done);
      expect(isOver).toBe(false);
      await turn;
    } finally {
      await one.host.close();
    }
  });
});

describe('a turn that is called off', () => {
  beforeEach(() => callers.run({ do: 'nothing' }));

  it('keeps what was done, also what was done in the grace after the call', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('the worker stops')), 200);
    const bodies = [{ do: 'nothing' }, { do: 'finishOnAbort' }, ...says(1)];
    const { ended, answers } = await callers.runInTurn(bodies, {}, controller.signal);
    expect({ ended, answers }).toEqual({ ended: 2, answers: [done, done] });
    expect(said()).toEqual([]);
  });

  it('does not count the one that did not get done', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('the worker stops')), 200);
    expect((await callers.runInTurn([{ do: 'nothing' }, { do: 'hang' }], {}, controller.signal)).ended).toBe(1);
  });
});

describe('onBegin', () => {
  it('comes when a thread of its own is free, and not before', async () => {
    const running = [1, 2].map(() => callers.run({ do: 'wait', ms: 600 }, { alone: true }));
    let begunAfter = 0;
    const since = Date.now();
    const onBegin = () => {
      begunAfter = Date.now() - since;
      return Promise.resolve(Infinity);
    };
    await callers.runInTurn([{ do: 'nothing' }], { call: { alone: true }, onBegin });
    expect(begunAfter).toBeGreaterThan(400);
    await Promise.all(running);
  });

  it('comes when the module is loaded, and not before', async () => {
    const one = callHandlers({ modulePath: join(__dirname, '../../support/handlers/slow-to-load.cjs') });
    const since = Date.now();
    let begunAfter = 0;
    const onBegin = () => {
      begunAfter = Date.now() - since;
      return Promise.resolve(Infinity);
    };
    try {
      expect((await one.runInTurn([{}], { call: { type: 'slow-to-load' }, onBegin })).ended).toBe(1);
      expect(begunAfter).toBeGreaterThan(500);
    } finally {
      await one.host.close();
    }
  });

  it.each([true, false])('that says no keeps the handler from beginning (alone: %s)', async alone => {
    const onBegin = () => Promise.resolve(null);
    for (let round = 0; round < 3; round += 1) {
      expect(await callers.runInTurn(says(2), { call: { alone }, onBegin })).toEqual({ ended: 0, answers: [] });
    }
    expect(said()).toEqual([]);
    expect(await callers.run({ do: 'nothing' }, { alone })).toEqual(done);
  });

  it('that takes its time finds another thread when its own died meanwhile', async () => {
    const one = callHandlers({ threads: 1 });
    try {
      await one.run({ do: 'nothing' });
      let asked = 0;
      const onBegin = async () => {
        asked += 1;
        if (asked === 1) expect(await one.run({ do: 'exit' })).toMatchObject({ kind: 'crashed' });
        return Infinity;
      };
      expect(await one.runInTurn(says(1), { onBegin })).toEqual({ ended: 1, answers: [done] });
      expect(asked).toBe(2);
    } finally {
      await one.host.close();
    }
  });

  it.each([true, false])(
    'that rejects keeps the handler from beginning, and costs no place (alone: %s)',
    async alone => {
      const onBegin = () => Promise.reject(new Error('the claim is lost'));
      for (let round = 0; round < 3; round += 1) {
        await expect(callers.runInTurn(says(1), { call: { alone }, onBegin })).rejects.toThrow('the claim is lost');
      }
      expect(said()).toEqual([]);
      expect(await callers.run({ do: 'nothing' }, { alone })).toEqual(done);
    },
  );
});

it('built-in handlers take turns by the same rules', async () => {
  const begun: number[] = [];
  const { host, runInTurn } = callHandlers({
    modulePath: null,
    builtIn: {
      counting: () => {
        begun.push(begun.length);
        if (begun.length === 3) return Promise.reject(new Error('x'));
        return Promise.resolve({ kind: 'done', subscription: null });
      },
    },
  });
  const four = [{}, {}, {}, {}];
  expect((await runInTurn(four, { call: { type: 'counting' }, ...openUntil(-1) })).ended).toBe(1);
  const { ended, answers } = await runInTurn(four, { call: { type: 'counting' } });
  expect(ended).toBe(2);
  expect(answers.map(answer => answer.kind)).toEqual(['done', 'failed']);
  expect(begun).toHaveLength(3);
  await host.close();
});

it.each(['unhandled', 'uncaught', 'exit'])('a death (%s) takes nothing with it that had ended before', async action => {
  const quick = says(30);
  const { answers } = await callers.runInTurn([...quick, { do: action }, ...quick]);
  expect(answers.map(answer => answer.kind)).toEqual([...quick.map(() => 'done'), 'crashed']);
});

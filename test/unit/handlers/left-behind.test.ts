import { join } from 'node:path';
import { callHandlers, type Callers } from '../../support/call-handlers.js';

let callers: Callers;
beforeEach(async () => {
  callers = callHandlers({ threads: 1 });
  await callers.run({ do: 'nothing' });
});
afterEach(() => callers.host.close());

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

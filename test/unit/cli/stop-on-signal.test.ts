import { stopOnSignal, waitForSignal } from '../../../src/cli/stop-on-signal.js';

describe('a Ctrl-C that is delivered twice', () => {
  let letGo: () => void = () => undefined;
  afterEach(() => {
    letGo();
    jest.restoreAllMocks();
  });

  it('stops once, and ends the process only when that is done', async () => {
    const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    let stopped: () => void = () => undefined;
    const stop = jest.fn(() => new Promise<void>(resolve => (stopped = resolve)));
    letGo = stopOnSignal(stop);
    expect([process.emit('SIGINT'), process.emit('SIGINT'), process.emit('SIGTERM')]).toEqual([true, true, true]);
    await new Promise(setImmediate);
    expect([stop.mock.calls.length, exit.mock.calls]).toEqual([1, []]);
    stopped();
    await new Promise(setImmediate);
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it('ends the process at once when it comes again a second later', () => {
    const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    letGo = stopOnSignal(() => new Promise(() => undefined));
    const sentAt = Date.now();
    process.emit('SIGINT');
    const now = jest.spyOn(Date, 'now').mockReturnValue(sentAt + 900);
    process.emit('SIGINT');
    expect(exit.mock.calls).toEqual([]);
    now.mockReturnValue(sentAt + 2_000);
    process.emit('SIGINT');
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it('is heard once by who waits for it, and kills nobody afterwards', async () => {
    const before = process.listeners('SIGINT');
    const waiting = waitForSignal();
    const added = process.listeners('SIGINT').filter(listener => !before.includes(listener));
    letGo = () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) for (const one of added) process.off(signal, one);
    };
    process.emit('SIGINT');
    await waiting;
    expect(process.emit('SIGINT')).toBe(true);
  });
});

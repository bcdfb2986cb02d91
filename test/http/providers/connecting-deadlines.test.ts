import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { sendRequest, type RequestToSend } from '../../../src/providers/send-request.js';

/** Takes connections and never says a word: TLS with it does not get beyond its beginning. */
const sockets = new Set<Socket>();
const silent = createServer(socket => {
  sockets.add(socket);
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
});
let url: string;
const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => silent.close(resolve));
  await closeProviderConnections();
  process.off('unhandledRejection', note);
});

async function measure<Result>(run: () => Promise<Result>): Promise<{ ms: number; result: Result }> {
  const startedAt = performance.now();
  const result = await run();
  return { ms: performance.now() - startedAt, result };
}
const send = (options: Partial<RequestToSend>) =>
  sendRequest({
    ...{ method: 'POST', url, headers: {}, body: 'a=b', timeoutMs: 30_000, allowLoopback: true, keepAlive: false },
    ...options,
  });

describe('a request whose connection does not come about', () => {
  test('ends at its timeout, and is known not to have been sent', async () => {
    const { ms, result } = await measure(() => send({ timeoutMs: 300 }));
    expect(result).toEqual({ kind: 'failed', reason: 'timeout', sent: false });
    expect(ms).toBeLessThan(2_000);
  });

  test('ends at its timeout also where connections are kept', async () => {
    const { ms, result } = await measure(() =>
      send({ timeoutMs: 300, keepAlive: true, method: 'GET', body: undefined }),
    );
    expect(result).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(ms).toBeLessThan(2_000);
  });

  test('ends with its signal', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stop')), 200);
    const { ms, result } = await measure(() =>
      send({ signal: controller.signal, keepAlive: true }).catch((error: unknown) => error),
    );
    expect(result).toMatchObject({ message: 'stop' });
    expect(ms).toBeLessThan(2_000);
  });

  test('is not told of a second time when its connection fails at last', async () => {
    await send({ timeoutMs: 300 });
    const closed = [...sockets].map(socket => new Promise(resolve => socket.on('close', resolve)));
    expect(closed).not.toHaveLength(0);
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(unhandled).toEqual([]);
  });
});

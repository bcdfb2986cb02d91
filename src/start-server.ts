import type { AddressInfo } from 'node:net';
import type { Core } from './compose.js';
import { ConfigError } from './errors.js';
import { createApp } from './http/create-app.js';

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a running callback may still need to answer, beyond its own deadline. Milliseconds. */
const answerMarginMs = 1_000;

/**
 * Listens; what is running when `stop()` is called finishes first: callbacks have their deadline for it, and exchanges
 * are waited for even when their caller has gone. A caller that keeps its connection busy for longer is cut off.
 */
export async function startServer(core: Core): Promise<RunningServer> {
  const { host, port: wantedPort, callbackDeadlineMs } = core.config;
  const app = await createApp(core);
  try {
    await app.listen({ host, port: wantedPort });
  } catch (error) {
    await app.close();
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new ConfigError([`RELINK_PORT: port ${wantedPort} of ${host} is taken by another process`]);
  }
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    stop: async () => {
      const timer = setTimeout(() => app.server.closeAllConnections(), callbackDeadlineMs + answerMarginMs);
      await app.close();
      clearTimeout(timer);
    },
  };
}

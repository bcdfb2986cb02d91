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

/** Why a server cannot listen, by Node's codes. */
const listenProblems: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `RELINK_PORT: port ${port} of ${host} is taken by another process`,
  EACCES: (_host, port) => `RELINK_PORT: this user may not listen on port ${port}`,
  EADDRNOTAVAIL: host => `RELINK_HOST: ${host} is no address of this machine`,
  ENOTFOUND: host => `RELINK_HOST: ${host} cannot be resolved`,
};

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
    const problem = error instanceof Error && 'code' in error ? listenProblems[String(error.code)] : undefined;
    throw problem === undefined ? error : new ConfigError([problem(host, wantedPort)]);
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

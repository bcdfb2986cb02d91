import type { AddressInfo } from 'node:net';
import type { Core } from './compose.js';
import { createApp } from './http/create-app.js';

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens; what is running when `stop()` is called (an exchange, for one) finishes first. */
export async function startServer(core: Core): Promise<RunningServer> {
  const app = await createApp(core);
  await app.listen({ host: core.config.host, port: core.config.port });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://${core.config.host}:${port}`, stop: async () => app.close() };
}

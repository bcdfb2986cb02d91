import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { AccountKeys } from './account-keys.js';
import { AccountPolicies } from './account-policies.js';
import { buildProvider, type SandboxClient } from './build-provider.js';
import { Counters } from './counters.js';
import { FaultPlan } from './faults.js';
import { GrantStore } from './grant-store.js';
import { sendJson } from './http-messages.js';
import { createRequestHandler } from './handle-request.js';
import { createStateWriter, readStateFile } from './state-file.js';

export interface SandboxOptions {
  /** Port on 127.0.0.1; 0 or none: a free one. */
  readonly port?: number;
  readonly clients: readonly SandboxClient[];
  /** Key of the control API; a random one unless given. At least 16 characters of a bearer token's alphabet. */
  readonly controlKey?: string;
  /** A file that keeps grants and tokens over restarts. Without it nothing survives. */
  readonly stateFile?: string;
  /** Lifetime of access tokens in seconds, by login, where the account's own does not suit. */
  readonly accessTokenTtl?: Readonly<Record<string, number>>;
  /** Say nothing even of internal errors, which else go to stderr in one line each. */
  readonly quiet?: boolean;
}

export interface Sandbox {
  /** `http://127.0.0.1:<port>`, which is also its issuer (RFC 8414). */
  readonly url: string;
  readonly controlKey: string;
  /** Stops at once, open connections included, and writes the state file. */
  close(): Promise<void>;
}

/**
 * Starts the sandbox provider: a real authorization server (oidc-provider) with accounts to choose from, an identity
 * endpoint and a control API, on the loopback interface only.
 *
 * @throws Error with the code `EADDRINUSE` where the port is taken.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const controlKey = options.controlKey ?? randomBytes(32).toString('base64url');
  if (!/^[A-Za-z0-9\-._~+/]{16,}$/.test(controlKey))
    throw new TypeError('controlKey is too short or not a bearer token');

  // The provider needs its address, so the port comes first and requests wait for the provider.
  let ready: (handler: RequestHandler) => void = () => undefined;
  const handler = new Promise<RequestHandler>(resolve => (ready = resolve));
  const report = (error: unknown): void => {
    if (options.quiet !== true) process.stderr.write(`sandbox: ${error instanceof Error ? error.message : 'error'}\n`);
  };
  const server = createServer((req, res) => {
    handler
      .then(handle => handle(req, res))
      .catch((error: unknown) => {
        report(error);
        if (!res.headersSent) sendJson(res, 500, { error: 'server_error' });
        else res.destroy();
      });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the sandbox has no port');
  const url = `http://127.0.0.1:${address.port}`;

  const closing = new AbortController();
  const counters = new Counters();
  const faults = new FaultPlan();
  const writer =
    options.stateFile === undefined ? undefined : createStateWriter(options.stateFile, () => store.snapshot(), report);
  const store: GrantStore = new GrantStore(() => writer?.touch());
  const saved = options.stateFile === undefined ? undefined : readStateFile(options.stateFile);
  if (saved) store.restore(saved);

  const policies = new AccountPolicies(options.accessTokenTtl ?? {});
  const keys = new AccountKeys(store, controlKey);
  let provider: Provider;
  try {
    provider = await buildProvider({ issuer: url, clients: options.clients, store, policies, keys });
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  provider.on('server_error', (_ctx, error) => report(error));
  ready(
    createRequestHandler({ provider, controlKey, store, policies, keys, faults, counters, closing: closing.signal }),
  );

  return {
    url,
    controlKey,
    close: async () => {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      writer?.flush();
    },
  };
}

type RequestHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

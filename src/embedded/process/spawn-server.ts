import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from './stop-process.js';

export interface ServerCommand {
  readonly executable: string;
  readonly args: readonly string[];
  /** All of its environment; that of this process when absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard output and error go here; begun anew with every start. */
  readonly logFile: string;
  /** What ends it gracefully. */
  readonly stopSignal: NodeJS.Signals;
  /** Milliseconds after which stop() resorts to SIGKILL. */
  readonly stopGraceMs: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface ServerProcess {
  readonly pid: number;
  /** Resolves with "exit code 1" or "signal SIGKILL" once the process has ended, for whatever reason. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** Ends it and waits until it is gone. May be called repeatedly. */
  stop(): Promise<void>;
  /** The last lines of its log, for error messages. */
  readLogTail(): Promise<string>;
}

/**
 * Starts a long-running server as a child in its own process group: Ctrl-C reaches the whole foreground group, and a
 * database that stops at that moment would pull the ground from under a worker that is still finishing its work.
 * The log is a file and not a pipe, so that the server is not disturbed when this process is killed.
 * When this process exits by itself without stop(), the server still gets its stop signal.
 *
 * @throws Error when the executable cannot be run.
 */
export async function spawnServer(command: ServerCommand): Promise<ServerProcess> {
  const log = openSync(command.logFile, 'w', 0o600);
  const child = spawn(command.executable, command.args, {
    cwd: command.cwd,
    ...(command.env && { env: command.env }),
    stdio: ['ignore', log, log],
    detached: true,
    ...command.owner,
  });
  closeSync(log);
  // Rejects with the 'error' event (ENOENT, EACCES).
  await once(child, 'spawn');
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command.executable} did not start.`);

  let ended: string | undefined;
  const stopAtExit = () => void sendSignal(pid, command.stopSignal);
  process.once('exit', stopAtExit);
  const exited = new Promise<string>(resolve => {
    child.once('exit', (code, signal) => {
      process.removeListener('exit', stopAtExit);
      ended = signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
      resolve(ended);
    });
  });

  const stop = async () => {
    if (ended !== undefined) return;
    child.ref();
    sendSignal(pid, command.stopSignal);
    const forced = new AbortController();
    const outcome = await Promise.race([
      exited,
      sleep(command.stopGraceMs, undefined, { signal: forced.signal }).catch(() => undefined),
    ]);
    forced.abort();
    if (outcome === undefined) sendSignal(pid, 'SIGKILL');
    await exited;
  };

  return {
    pid,
    exited,
    hasExited: () => ended !== undefined,
    stop,
    readLogTail: async () => (await readFile(command.logFile, 'utf8')).trimEnd().split('\n').slice(-15).join('\n'),
  };
}

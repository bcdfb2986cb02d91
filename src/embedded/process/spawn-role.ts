import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface RoleExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server, a worker or the sandbox, as a process of its own. */
export interface RoleProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<RoleExit>;
  hasExited(): boolean;
  /** Everything in its log file. */
  readLog(): Promise<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL after 20 seconds; resolves when it is gone. */
  stop(): Promise<RoleExit>;
}

const stopGraceMs = 20_000;

/**
 * Runs a compiled script of ours with exactly the given environment. Standard output and error are added
 * to the log file, mode 0600. Its stdin closes when this process ends, by which the sandbox notices.
 *
 * @throws Error when Node cannot be run.
 */
export async function spawnRole(options: {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
}): Promise<RoleProcess> {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), options.script, ...(options.args ?? [])], {
    env: { ...options.environment },
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} did not start`);
  // A process that is killed breaks the pipe; nothing is ever written to it.
  child.stdin?.on('error', () => undefined);

  let ended = false;
  const exited = new Promise<RoleExit>(resolve => {
    child.once('exit', (code, signal) => {
      ended = true;
      resolve({ code, signal });
    });
  });
  return {
    name: options.name,
    pid,
    exited,
    hasExited: () => ended,
    readLog: () => readFile(options.logFile, 'utf8'),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

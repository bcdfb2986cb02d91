import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readProcess, type RunningProcess } from '../../../src/embedded/process/read-process.js';
import { until } from './until.js';

const root = join(__dirname, '../../..');

/** A script of the repository in a process group of its own, as a terminal's foreground job is. */
export interface RunningScript {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  /** Standard output and error so far, in the order of arrival. */
  output(): string;
  /** Waits for the first match; fails when the script ends without one. */
  untilPrinted(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** What Ctrl-C does: the signal goes to the whole group. */
  interrupt(): void;
}

export function runScript(args: readonly string[], environment: Readonly<Record<string, string>>): RunningScript {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const take = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  let ended = false;
  const exited = new Promise<number | null>(resolve => {
    child.once('close', code => {
      ended = true;
      resolve(code);
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('Node cannot be run');
  return {
    pid,
    exited,
    output: () => output,
    untilPrinted: (pattern, withinMs = 60_000) =>
      until(
        `${args.join(' ')} prints ${pattern.source}`,
        async () => {
          const found = pattern.exec(output);
          if (found === null && ended) throw new Error(`${args.join(' ')} ended without it:\n${output}`);
          return found;
        },
        withinMs,
      ),
    interrupt: () => process.kill(-pid, 'SIGINT'),
  };
}

/** A process and everything below it, also what has a process group of its own. */
export async function listTree(pid: number): Promise<RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const parents = new Map(
    stdout
      .trim()
      .split('\n')
      .map(line => line.trim().split(/\s+/).map(Number))
      .map(([child = 0, parent = 0]) => [child, parent]),
  );
  const inTree = (candidate: number): boolean =>
    candidate === pid || (parents.has(candidate) && inTree(parents.get(candidate) ?? 0));
  const found = await Promise.all([...parents.keys()].filter(inTree).map(readProcess));
  return found.filter(running => running !== undefined);
}

/** Those of the processes that still run. */
export async function stillRunning(processes: readonly RunningProcess[]): Promise<string[]> {
  const now = await Promise.all(processes.map(({ pid }) => readProcess(pid)));
  return now.flatMap((running, index) =>
    running !== undefined && running.startedAt === processes[index]?.startedAt ? [running.commandLine] : [],
  );
}

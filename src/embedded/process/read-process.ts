import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A process that is running now, with enough to tell it from a later one that was given the same pid. */
export interface RunningProcess {
  readonly pid: number;
  /** Opaque; equal for two reads of the same process, different for every other one. */
  readonly startedAt: string;
  /** The arguments joined by single spaces, the executable first. */
  readonly commandLine: string;
}

/**
 * Reads a process by pid. `undefined` when there is none or when it is a zombie: in a container whose first process
 * reaps nothing, a killed orphan stays in the table for ever, and `kill(pid, 0)` alone would call it alive.
 */
export async function readProcess(pid: number): Promise<RunningProcess | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    return process.platform === 'linux' ? await readFromProc(pid) : await readFromPs(pid);
  } catch {
    return undefined;
  }
}

async function readFromProc(pid: number): Promise<RunningProcess | undefined> {
  const [stat, commandLine, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
  ]);
  // proc(5): the name (field 2, in parentheses) may hold anything; state is field 3, the start in ticks field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    startedAt: `${boot.trim()}/${fields[19] ?? ''}`,
    commandLine: commandLine.replace(/\0+$/, '').replaceAll('\0', ' '),
  };
}

async function readFromPs(pid: number): Promise<RunningProcess | undefined> {
  const { stdout } = await run('ps', ['-ww', '-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)], {
    env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
  });
  const match = /^\s*(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(stdout.trim());
  if (!match || match[1]?.startsWith('Z')) return undefined;
  return { pid, startedAt: match[2] ?? '', commandLine: match[3] ?? '' };
}

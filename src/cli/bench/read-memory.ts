import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Resident memory of a process in MB (RSS, as `ps` counts it on Linux and macOS alike). */
export async function readMemory(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('The process has no pid');
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Math.round(Number(stdout.trim()) / 1024);
}

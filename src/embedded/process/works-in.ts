import { stat } from 'node:fs/promises';
import type { RunningProcess } from './read-process.js';

/** On Linux a process in a container is listed too, and the same path may be another file there. */
export async function worksIn({ pid }: RunningProcess, directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  // Unreadable when it belongs to somebody else.
  const [its, ours] = await Promise.all([stat(`/proc/${pid}/cwd`).catch(() => undefined), stat(directory)]);
  return its?.dev === ours.dev && its.ino === ours.ino;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess, type RunningProcess } from './read-process.js';

/**
 * Stops a process that is not our child: `signal`, and SIGKILL after `graceMs`. Returns when it is gone.
 * The identity is compared before each signal, so a process that was given the same pid later is never hit.
 *
 * @throws Error when the process is still there five seconds after SIGKILL, or may not be signalled.
 */
export async function stopProcess(target: RunningProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (await endWith(target, signal, graceMs)) return;
  if (await endWith(target, 'SIGKILL', 5000)) return;
  throw new Error(`Process ${target.pid} does not end, not even by SIGKILL. Stop it by hand: ${target.commandLine}`);
}

async function endWith(target: RunningProcess, signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  let sent = false;
  for (;;) {
    const now = await readProcess(target.pid);
    if (now?.startedAt !== target.startedAt) return true;
    if (!sent) sent = sendSignal(target.pid, signal);
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
}

/** @returns true; a process that ended in between is found gone by the caller's next look. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err;
  }
  return true;
}

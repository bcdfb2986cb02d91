import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readProcess } from '../process/read-process.js';
import { stopProcess } from '../process/stop-process.js';

/** What PostgreSQL writes to postmaster.pid (src/include/utils/pidfile.h); lines are counted from 1 there. */
export interface PostmasterFile {
  readonly pid: number;
  /** "ready" once connections are accepted. */
  readonly status: string;
}

export async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | undefined> {
  try {
    const lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n');
    return { pid: Number.parseInt(lines[0] ?? '', 10), status: (lines[7] ?? '').trim() };
  } catch {
    return undefined;
  }
}

/**
 * Clears the way for a start on a data directory whose last owner may have been killed: a server that still runs on it is
 * stopped (SIGINT, PostgreSQL's fast shutdown), and a pid file that names a process which is something else by now is
 * removed, since PostgreSQL would take that process for its own. A pid file whose process is gone stays: PostgreSQL
 * itself checks then that no child of the old server is left before it replaces it.
 * The caller holds the directory (see single-instance.ts), so that a server in use is never stopped here.
 */
export async function recoverPostmaster(dataDirectory: string, onProgress: (line: string) => void): Promise<void> {
  const file = await readPostmasterFile(dataDirectory);
  if (!file) return;
  const running = await readProcess(file.pid);
  if (running && isPostmasterOf(dataDirectory, running.commandLine)) {
    onProgress(`PostgreSQL: stopping process ${file.pid}, left behind by a start that was killed`);
    await stopProcess(running, 'SIGINT', 10_000);
  } else if (running || holdsPid(file.pid)) {
    onProgress('PostgreSQL: removing a stale pid file');
    await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
  }
}

/** The arguments that start-embedded-postgres.ts starts it with. */
function isPostmasterOf(dataDirectory: string, commandLine: string): boolean {
  return commandLine.includes(`/bin/postgres -D ${dataDirectory} `);
}

/** True also for a zombie. */
function holdsPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
}

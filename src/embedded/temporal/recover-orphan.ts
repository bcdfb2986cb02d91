import { readFile, rm } from 'node:fs/promises';
import { readProcess } from '../process/read-process.js';
import { stopProcess } from '../process/stop-process.js';

/** Beside the database file; holds the server's pid. */
export const pidFileOf = (databaseFile: string) => `${databaseFile}.pid`;

/**
 * Stops a dev server that a killed process left on `databaseFile`: two servers on one SQLite file damage it. The pid
 * counts only when that process's command line names this very file.
 */
export async function recoverOrphan(databaseFile: string, onProgress: (line: string) => void): Promise<void> {
  const content = await readFile(pidFileOf(databaseFile), 'utf8').catch(() => undefined);
  if (content === undefined) return;
  const running = await readProcess(Number.parseInt(content, 10));
  if (running?.commandLine.includes(` --db-filename ${databaseFile} `)) {
    onProgress(`Temporal: stopping process ${running.pid}, left behind by a start that was killed`);
    await stopProcess(running, 'SIGTERM', 5000);
  }
  await rm(pidFileOf(databaseFile), { force: true });
}

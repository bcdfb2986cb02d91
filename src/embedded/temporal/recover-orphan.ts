import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findProcesses } from '../process/find-processes.js';
import { stopProcess } from '../process/stop-process.js';
import { worksIn } from '../process/works-in.js';

/**
 * Stops a dev server that a killed process left on `databaseFile`: two servers on one SQLite file damage it. It is found
 * by its command line, which names this very file: that is there from its first instant, so whenever its starter was
 * killed, nothing had to be noted before.
 */
export async function recoverOrphan(databaseFile: string, onProgress: (line: string) => void): Promise<void> {
  const directory = await realpath(dirname(databaseFile)).catch(() => undefined);
  if (directory === undefined) return;
  const argumentsOfIt = ` server start-dev --db-filename ${join(directory, basename(databaseFile))} `;
  const found = await findProcesses(commandLine => {
    const [executable = '', rest] = commandLine.split(argumentsOfIt, 2);
    // A shell or a search that has all this in an argument has a flag before it.
    return rest !== undefined && !executable.includes(' -');
  });
  for (const running of found) {
    if (!(await worksIn(running, directory))) continue;
    onProgress(`Temporal: stopping process ${running.pid}, left behind by a start that was killed`);
    await stopProcess(running, 'SIGTERM', 5000);
  }
}

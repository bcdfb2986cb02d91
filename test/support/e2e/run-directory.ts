import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeEmbeddedPostgres } from '../../../src/embedded/postgres/remove-embedded-postgres.js';
import { readProcess } from '../../../src/embedded/process/read-process.js';
import { stopProcess } from '../../../src/embedded/process/stop-process.js';
import { acquireInstanceLock } from '../../../src/embedded/single-instance.js';
import { recoverOrphan } from '../../../src/embedded/temporal/recover-orphan.js';

const runs = join(__dirname, '../../../.relink/e2e');

/** Below the run's directory: where these tests, `npm start` and the demo keep a database and Temporal's file. */
const stacks = ['', 'data', join('data', 'demo', 'data')];

export interface RunDirectory {
  readonly path: string;
  /** Notes a process that has to go when this run is killed; the next run ends it. */
  remember(pid: number): Promise<void>;
  remove(): Promise<void>;
}

/** A new directory for one test file. What killed runs left, files and processes, is cleared first. */
export async function makeRunDirectory(): Promise<RunDirectory> {
  await mkdir(runs, { recursive: true });
  await clearDeadRuns();
  const path = join(runs, `run-${randomBytes(4).toString('hex')}`);
  const lock = await acquireInstanceLock(path);
  if (!lock.acquired) throw new Error(lock.message);
  return {
    path,
    remember: async pid => {
      const running = await readProcess(pid);
      if (running) await writeFile(join(path, `process.${pid}`), running.startedAt);
    },
    remove: () => removeRun(path),
  };
}

async function clearDeadRuns(): Promise<void> {
  for (const name of await readdir(runs)) {
    const path = join(runs, name);
    // One that is being made: its lock comes an instant after the directory.
    if ((await readdir(path).catch(() => [])).length === 0) continue;
    const lock = await acquireInstanceLock(path).catch(() => undefined);
    if (lock?.acquired) await removeRun(path);
  }
}

async function removeRun(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    const pid = /^process\.(\d+)$/.exec(name)?.[1];
    const running = pid === undefined ? undefined : await readProcess(Number(pid));
    if (running?.startedAt === (await readFile(join(path, name), 'utf8').catch(() => ''))) {
      await stopProcess(running, 'SIGKILL', 5_000);
    }
  }
  const quiet = () => undefined;
  for (const stack of stacks) {
    await recoverOrphan(join(path, stack, 'temporal.db'), quiet);
    await removeEmbeddedPostgres(join(path, stack, 'postgres'), quiet);
  }
  await rm(path, { recursive: true, force: true });
}

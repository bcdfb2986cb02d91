/**
 * The PostgreSQL and the Temporal dev server of one Jest run. Every run has a directory of its own below .relink/test, so
 * that runs at the same time do not meet, and each begins empty. The next run clears what a killed one left.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findTemporalCli } from '../../src/embedded/find-temporal-cli.js';
import { removeEmbeddedPostgres } from '../../src/embedded/postgres/remove-embedded-postgres.js';
import { startEmbeddedPostgres } from '../../src/embedded/postgres/start-embedded-postgres.js';
import { acquireInstanceLock } from '../../src/embedded/single-instance.js';
import { recoverOrphan } from '../../src/embedded/temporal/recover-orphan.js';
import { startEmbeddedTemporal } from '../../src/embedded/temporal/start-embedded-temporal.js';

const root = join(__dirname, '../../.relink');
const runs = join(root, 'test');

export interface TestServers {
  /** For what the files of the run share; gone with it. */
  readonly directory: string;
  /** As superuser. */
  readonly postgresUrl: string;
  readonly temporalAddress: string;
  readonly temporalCli: string;
  stop(): Promise<void>;
}

/** One line on standard error, which Jest leaves to us. */
export const report = (line: string): void => void process.stderr.write(`${line}\n`);

export function findTestCli() {
  return findTemporalCli({
    configuredPath: process.env['RELINK_TEMPORAL_CLI'],
    toolsDirectory: join(root, 'tools'),
    onProgress: report,
  });
}

export async function startTestServers(searchAttributes: Readonly<Record<string, 'Keyword'>>): Promise<TestServers> {
  await mkdir(runs, { recursive: true });
  await clearDeadRuns();
  const directory = join(runs, `run-${randomBytes(4).toString('hex')}`);
  const lock = await acquireInstanceLock(directory);
  if (!lock.acquired) throw new Error(lock.message);

  const startedAt = Date.now();
  const cli = await findTestCli();
  const started = await Promise.allSettled([
    startEmbeddedPostgres({ dataDirectory: postgresOf(directory), onProgress: quiet }),
    startEmbeddedTemporal({
      cliPath: cli.path,
      databaseFile: temporalOf(directory),
      headless: true,
      searchAttributes,
      onProgress: quiet,
    }),
  ]);
  const [postgres, temporal] = started;
  const stop = async () => {
    await Promise.all(started.flatMap(server => (server.status === 'fulfilled' ? [server.value.stop()] : [])));
    await removeRun(directory);
  };
  if (postgres.status === 'rejected' || temporal.status === 'rejected') {
    const reasons = started.flatMap(server => (server.status === 'rejected' ? [server.reason as unknown] : []));
    await stop();
    throw new AggregateError(reasons, `The test servers did not start: ${reasons.map(String).join('; ')}`);
  }
  report(`test servers: PostgreSQL and Temporal ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return {
    directory,
    postgresUrl: postgres.value.url('postgres'),
    temporalAddress: temporal.value.address,
    temporalCli: cli.path,
    stop,
  };
}

const postgresOf = (directory: string) => join(directory, 'postgres');
const temporalOf = (directory: string) => join(directory, 'temporal.db');
const quiet = () => undefined;

/** A run whose lock can be taken is over; its lock decides too which of two new runs clears it. */
async function clearDeadRuns(): Promise<void> {
  for (const name of await readdir(runs)) {
    if (!name.startsWith('run-')) continue;
    const directory = join(runs, name);
    // One that is being made: its lock comes an instant after the directory.
    if ((await readdir(directory).catch(() => [])).length === 0) continue;
    const lock = await acquireInstanceLock(directory).catch(() => undefined);
    if (lock?.acquired) await removeRun(directory);
  }
}

async function removeRun(directory: string): Promise<void> {
  await recoverOrphan(temporalOf(directory), report);
  await removeEmbeddedPostgres(postgresOf(directory), report);
  await rm(directory, { recursive: true, force: true });
}

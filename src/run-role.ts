import { ConfigError, RelinkError } from './errors.js';
import type { Log } from './log.js';

/** A started role: how to stop it, and a promise that rejects when it dies by itself. */
export interface Role {
  stop(): Promise<void>;
  readonly finished?: Promise<void>;
}

/**
 * Runs one process: starts it, stops it once on SIGINT or SIGTERM, also when that comes before it is ready, and ends
 * with exit code 1 and a plain line when it cannot start, dies, or cannot stop. Commands that end by themselves
 * (src/cli) see to their own exit codes.
 *
 * @param name The role as its lines call it: `server`, `worker`, `relink`.
 */
export async function runRole(name: string, log: Log, start: () => Promise<Role>): Promise<void> {
  const starting = start();
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info(`Stopping ${name} (process ${process.pid}): ${reason}`);
    starting
      .then(role => role.stop())
      .then(
        () => log.info(`Stopped ${name}`),
        (error: unknown) => {
          log.error({ error }, `${name} did not stop cleanly`);
          process.exitCode = 1;
        },
      )
      .finally(() => process.exit());
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  try {
    const role = await starting;
    role.finished?.catch((error: unknown) => {
      log.fatal({ error }, `${name} (process ${process.pid}) died; start it again`);
      process.exitCode = 1;
      stop('it died');
    });
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof RelinkError;
    log.fatal(known ? {} : { error }, error instanceof Error ? error.message : `${name} cannot start`);
    process.exit(1);
  }
}

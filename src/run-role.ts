import { ConfigError } from './config.js';
import { RelinkError } from './errors.js';
import type { Log } from './log.js';

/** A started role: how to stop it, and a promise that rejects when it dies by itself. */
export interface Role {
  stop(): Promise<void>;
  readonly finished?: Promise<void>;
}

/**
 * Runs one process: starts it, stops it once on SIGINT or SIGTERM, and ends with exit code 1 and a plain line when it
 * cannot start. Nothing else in Relink touches signals or exit codes.
 */
export async function runRole(log: Log, start: () => Promise<Role>): Promise<void> {
  let role: Role | undefined;
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info(`Stopping: ${reason}`);
    void (role?.stop() ?? Promise.resolve())
      .then(
        () => log.info('Stopped'),
        (error: unknown) => log.error({ error }, 'Stopping failed'),
      )
      .finally(() => process.exit());
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  try {
    role = await start();
    if (stopping) await role.stop();
    role.finished?.catch((error: unknown) => {
      log.fatal({ error }, 'Died; start it again');
      process.exitCode = 1;
      stop('it died');
    });
  } catch (error) {
    const known = error instanceof ConfigError || error instanceof RelinkError;
    log.fatal(known ? {} : { error }, error instanceof Error ? error.message : 'It cannot start');
    process.exit(1);
  }
}

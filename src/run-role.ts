import { listenForSignals } from './listen-for-signals.js';
import { ConfigError, RelinkError } from './errors.js';
import type { Log } from './log.js';

/** A started role: how to stop it, and a promise that rejects when it dies by itself. */
export interface Role {
  stop(): Promise<void>;
  readonly finished?: Promise<void>;
  /** How long the stop may take, where that is not what runRole was given. */
  readonly longestStopMs?: number;
}

/** Above the longest exchange (30 s) and the five seconds its sealed write may be repeated. */
const defaultLongestStopMs = 45_000;

/**
 * Runs one process: starts it, stops it once on SIGINT or SIGTERM, also when that comes before it is ready, and ends
 * with exit code 1 and a line when it cannot start (plain, on standard error, for each foreseen problem), dies, throws where nobody catches, or does not stop within
 * `longestStopMs` (45 s, or what the role says). A second signal ends it at once, with exit code 130. Commands that end by themselves (src/cli) see to their own
 * exit codes.
 *
 * @param name The role as its lines call it: `server`, `worker`, `relink`.
 * @param start Is told by `isStopping` that a stop was asked for before it was ready: it is ended then, and need not say so.
 */
export async function runRole(
  name: string,
  log: Log,
  start: (isStopping: () => boolean) => Promise<Role>,
  longestStopMs = defaultLongestStopMs,
): Promise<void> {
  let stopping = false;
  const starting = start(() => stopping);
  const endAfter = (ms: number) =>
    setTimeout(() => {
      log.fatal(`${name} (process ${process.pid}) did not stop within ${ms / 1000} s; ended as it is`);
      process.exit(1);
    }, ms).unref();
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info(`Stopping ${name} (process ${process.pid}): ${reason}`);
    let giveUp = endAfter(longestStopMs);
    starting
      .then(role => {
        if (role.longestStopMs !== undefined) {
          clearTimeout(giveUp);
          giveUp = endAfter(role.longestStopMs);
        }
        return role.stop();
      })
      .then(
        () => log.info(`Stopped ${name}`),
        (error: unknown) => {
          log.error({ error }, `${name} did not stop cleanly`);
          process.exitCode = 1;
        },
      )
      .finally(() => process.exit());
  };
  const onSignalAgain = (signal: NodeJS.Signals) => {
    log.warn(`Ended ${name} (process ${process.pid}) at once: ${signal} again`);
    process.exit(130);
  };
  const onUncaught = (error: unknown) => {
    log.fatal({ error }, `${name} (process ${process.pid}) failed in an unforeseen way`);
    process.exitCode = 1;
    stop('it failed');
  };
  listenForSignals(['SIGINT', 'SIGTERM'], stop, onSignalAgain);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  try {
    const role = await starting;
    role.finished?.catch((error: unknown) => {
      log.fatal({ error }, `${name} (process ${process.pid}) died; start it again`);
      process.exitCode = 1;
      stop('it died');
    });
  } catch (error) {
    const problems = listProblems(error);
    // Whoever starts it reads this, and no program does: plain lines, one for each problem.
    for (const problem of problems) process.stderr.write(`${name} cannot start: ${problem}\n`);
    if (problems.length === 0) log.fatal({ error }, error instanceof Error ? error.message : `${name} cannot start`);
    process.exit(1);
  }
}

/** What an operator can mend; empty for anything unforeseen, which is logged with its stack. */
function listProblems(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  return error instanceof RelinkError ? [error.message] : [];
}

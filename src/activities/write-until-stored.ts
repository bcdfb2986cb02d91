import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, RelinkError } from '../errors.js';
import type { Log } from '../log.js';

const firstDelayMs = 50;
const longestDelayMs = 1_000;

/**
 * Repeats the write of what only this process knows, for as long as it lives: even a stopping worker goes on until it is
 * ended. Whatever the store fails with: no error is worth the loss, and an operator can mend most of them meanwhile. The
 * write has to be one that changes nothing when its commit was not heard of.
 *
 * @param what Begins the log lines: "A refreshed token of cred_…".
 */
export async function writeUntilStored<Result>(
  {
    log,
    fields,
    what,
  }: { readonly log: Log; readonly fields: Readonly<Record<string, string>>; readonly what: string },
  write: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const result = await write();
      if (attempt > 0) log.info({ ...fields, attempt }, `${what} is stored now`);
      return result;
    } catch (error) {
      if (attempt === 0) tell(log, fields, what, error);
      await delay(Math.min(firstDelayMs * 2 ** Math.min(attempt, 10), longestDelayMs));
    }
  }
}

/** What is not known to pass by itself is for the operator. */
function tell(log: Log, fields: Readonly<Record<string, string>>, what: string, error: unknown): void {
  const code: ErrorCode = error instanceof RelinkError ? error.code : 'internal';
  if (error instanceof RelinkError && error.retryable) log.warn({ ...fields, code }, `${what} waits for the database`);
  else log.error({ ...fields, code, error }, `${what} cannot be stored; the write is repeated until it can`);
}

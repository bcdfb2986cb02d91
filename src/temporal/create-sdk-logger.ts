import { ApplicationFailure } from '@temporalio/common';
import type { Logger, LogLevel, LogMetadata } from '@temporalio/worker';
import { isErrorCode } from '../errors.js';
import type { Log } from '../log.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** What the SDK informs about, such as states of its workers, is for debugging. */
const levels: Readonly<Record<LogLevel, Level>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug',
  WARN: 'warn',
  ERROR: 'error',
};

/**
 * The SDK's lines in our log. It warns of every failure, with a stack; a refusal that Relink foresees is no failure of
 * the worker's, and is told by the interceptor. Tokens of tasks, with which a task can be completed, are left out.
 */
export function createSdkLogger(log: Log): Logger {
  const write = (level: Level, message: string, meta: LogMetadata = {}) => {
    const { error, workflowId, workflowType, activityType } = meta;
    if (message === 'Activity failed' && error instanceof ApplicationFailure) {
      log.debug({ activity: activityType, workflowId, code: error.type }, 'Activity failed');
      return;
    }
    const code = message === 'Workflow failed' ? readCode(error) : null;
    if (code !== null) {
      log.info({ code, workflowId }, `${String(workflowType)} ended: ${code}`);
      return;
    }
    // Undefined values are left out of a line.
    const temporal = { ...meta, taskToken: undefined, error: undefined };
    log[expected.has(message) ? 'debug' : level]({ temporal, ...(error === undefined ? {} : { error }) }, message);
  };
  return {
    log: (level, message, meta) => write(levels[level], message, meta),
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    info: (message, meta) => write('debug', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  };
}

/** Said of the worker of the handlers' queue, which is meant to run activities only. */
const expected: ReadonlySet<string> = new Set(['No workflows registered, not polling for workflow tasks']);

/** The code that a workflow's failure ends its text with: of its type nothing is left where it leaves its thread. */
function readCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const [, code] = /: ([a-z_]+)$/.exec(error.message) ?? [];
  return isErrorCode(code) ? code : null;
}

import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityExecuteInput, Next } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import { type ErrorCode, RelinkError } from '../errors.js';
import type { Log } from '../log.js';

/**
 * The one place where errors become Temporal failures: type = error code, text from the registry. What a library hangs
 * on its errors (requests, bodies, rows) stays here; history shows a code and a sentence.
 */
export class ConvertErrorsInterceptor implements ActivityInboundCallsInterceptor {
  constructor(
    private readonly context: Context,
    private readonly log: Log,
  ) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    try {
      return await next(input);
    } catch (error) {
      if (error instanceof CancelledFailure || error instanceof ApplicationFailure) throw error;
      const { activityType, attempt, workflowExecution } = this.context.info;
      const place = { activity: activityType, attempt, workflowId: workflowExecution?.workflowId };
      if (error instanceof RelinkError) {
        this.log[chooseLevel(error, attempt)]({ ...place, code: error.code }, error.message);
        throw ApplicationFailure.create({
          message: error.message,
          type: error.code,
          nonRetryable: !error.retryable,
          ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
        });
      }
      this.log.error({ ...place, error }, `${activityType} failed unexpectedly; it will be retried`);
      throw ApplicationFailure.create({ message: 'Unexpected failure; see the log of the worker', type: 'internal' });
    }
  }
}

/** A refusal that ends an attempt is an ordinary end of it, unless only the operator can mend it. */
function chooseLevel({ code, retryable }: RelinkError, attempt: number): 'debug' | 'info' | 'warn' | 'error' {
  // A retry that will be made anyway is worth one line when it becomes a pattern, not one per attempt.
  if (retryable && attempt !== 1 && attempt % 25 !== 0) return 'debug';
  if (code === 'secret_unreadable') return 'error';
  return retryable || forOperator.has(code) ? 'warn' : 'info';
}

const forOperator: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'client_rejected',
  'host_not_allowed',
  'identity_unusable',
  'internal',
  'provider_not_configured',
]);

import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';

/** The error code an activity failed with for good: its ApplicationFailure's type, or `fallback` for a timeout. */
export function failureCode(error: unknown, fallback: string): string {
  if (!(error instanceof ActivityFailure)) return 'internal';
  // The server tells the end of the time by either: a TimeoutFailure, or the last failure with this retry state.
  if (error.retryState === 'TIMEOUT') return fallback;
  if (error.cause instanceof ApplicationFailure) return error.cause.type ?? 'internal';
  return error.cause instanceof TimeoutFailure ? fallback : 'internal';
}

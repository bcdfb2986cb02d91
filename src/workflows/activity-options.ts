import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/**
 * A user waits for these: quick first retries. The caller is freed by its own deadline, not by the activity's end, so
 * a provider that is down for hours still ends in a connection.
 */
export const connectOptions = (withinMs: number): ActivityOptions => ({
  startToCloseTimeout: '15 seconds',
  scheduleToCloseTimeout: withinMs,
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '15 seconds' },
});

/** Restoring must not be given up while anybody could still want it: it retries for a month, visibly, in the UI. */
export const restoreOptions: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '30 days',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '5 minutes' },
};

/**
 * One token POST and the write of its answer. The write is repeated inside for as long as the worker lives; a dead
 * worker is noticed by its silence, and the next attempt finds its mark.
 */
export const postOptions: ActivityOptions = {
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '10 seconds',
  scheduleToCloseTimeout: '30 days',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
};

/** Short writes to the database that only need it to be there. */
export const recordOptions: ActivityOptions = {
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '30 days',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '5 minutes' },
};

/** One identity call of a credential test. An outage is waited out for a while, then told as `unreachable`. */
export const probeOptions: ActivityOptions = {
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '2 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 5 },
};

/** One revocation. An hour between tries in the end: nobody waits, and the provider may be away for days. */
export const revokeOptions = (withinMs: number): ActivityOptions => ({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: withinMs,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 hour' },
});

/** One read of the status. Retried for as long as the database is away. */
export const checkOptions: LocalActivityOptions = {
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
};

/** Works for a minute at most, plus the one attempt in hand; a dead worker is noticed by its silence. */
export const processOptions: ActivityOptions = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
};

/**
 * Its failures are written to the integration; by the third attempt also that the two before ended their workers. It
 * fails itself only when no attempt could write. Deliveries do not wait for it beyond three tries: it stays due.
 */
export const prepareOptions: ActivityOptions = {
  startToCloseTimeout: '12 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 4, maximumAttempts: 3 },
};

export const discardOptions: ActivityOptions = {
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
};

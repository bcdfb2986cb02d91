import { Context } from '@temporalio/activity';
import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * A repeat finds another try and changes nothing.
 *
 * A provider that answers and gives no token, time after time, is told here and nowhere else: its credential stays valid.
 * Outages are told by their breaker, once for all credentials, and the operator's faults by their cause.
 */
export function raiseRefreshTry({ store, log, now }: ActivityDependencies): Activities['raiseRefreshTry'] {
  return async ({ credentialId, generation, refreshTry, dueInMs, gaveUp }) => {
    const dueAt = new Date(now().getTime() + dueInMs);
    const raised = await store.raiseRefreshTry(credentialId, generation, refreshTry, dueAt);
    if (!raised || gaveUp === undefined) return;
    const { provider, outcome, reason, httpStatus } = gaveUp;
    Context.current().metricMeter.createCounter('relink_refreshes_given_up_total').add(1, { provider, outcome });
    const isOutage = reason === 'outage' || (httpStatus !== null ? httpStatus >= 500 : reason !== 'host_not_allowed');
    if (outcome !== 'pending' || isOutage) return;
    log.warn(
      { credentialId, provider, generation, refreshTry, reason, httpStatus, dueAt: dueAt.toISOString() },
      `The token of ${credentialId} could not be refreshed at ${provider}: ${reason}${httpStatus === null ? '' : ` (HTTP ${httpStatus})`}. It is tried again; no verdict is passed.`,
    );
  };
}

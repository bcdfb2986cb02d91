import type { Activities } from '../../contracts/activities.js';
import { exchangeAbandonedAfterMs, type SessionState } from '../../domain/session.js';
import { finishCreation } from '../../integrations/finish-creation.js';
import { warnOfUndefined } from '../../integrations/warn-of-undefined.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countDone } from './count-done.js';
import { sweepDeliveries } from './sweep-deliveries.js';
import { sweepRefreshes } from './sweep-refreshes.js';
import { wakeUnsubscribed } from './wake-unsubscribed.js';

const batch = 200;

/** Of rows that may wait for a workflow, some seconds each. */
const slowBatch = 20;

/** Each part is bounded; what a round does not reach, the next one does. One row's failure leaves the others be. */
export function sweep(dependencies: ActivityDependencies): Activities['sweep'] {
  const wakeMore = wakeUnsubscribed(dependencies);
  const onQueue = warnOfUndefined(dependencies.integrations, dependencies.log);
  return async () => {
    const ended = await endAbandonedExchanges(dependencies);
    const started =
      (await startUnstarted(dependencies, 'exchanged')) +
      (await startUnstarted(dependencies, 'connected')) +
      (await startDeletions(dependencies));
    const finished = await finishIntegrations(dependencies);
    const deleted = await deleteOldRows(dependencies);
    const refreshed = await sweepRefreshes(dependencies);
    const { woken, expired } = await sweepDeliveries(dependencies, onQueue);
    return { ended, started, finished, deleted, ...refreshed, expired, woken: woken + (await wakeMore()) };
  };
}

async function deleteOldRows({ store, now, settings }: ActivityDependencies): Promise<number> {
  const before = (retentionMs: number) => new Date(now().getTime() - retentionMs);
  const sessions = await store.deleteEndedSessions(before(settings.sessionRetentionMs), 1000);
  return sessions + (await store.deleteTokenReads(before(settings.tokenReadRetentionMs), 1000));
}

/** The code was claimed and its process died before the grant was sealed: whether it was spent, nobody knows. */
async function endAbandonedExchanges({ store, log }: ActivityDependencies): Promise<number> {
  const sessions = await store.listAbandonedSessions(exchangeAbandonedAfterMs, batch);
  return countDone(sessions, log, async session => {
    const ended = await store.endAbandonedSession(session.id, exchangeAbandonedAfterMs, 'exchange_outcome_unknown');
    if (ended === null) return false;
    log.warn(
      { sessionId: session.id, provider: session.provider },
      `Attempt ${session.id} was cut off while its code was exchanged: ended as exchange_outcome_unknown`,
    );
    return true;
  });
}

async function startUnstarted(dependencies: ActivityDependencies, state: SessionState): Promise<number> {
  const { store, workflows, log, now, settings } = dependencies;
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  const sessions = await store.listStaleSessions([state], before, batch);
  return countDone(sessions, log, async session => {
    try {
      if (!(await workflows.startReauth({ sessionId: session.id, provider: session.provider }))) return false;
      log.info(
        { sessionId: session.id, state },
        `The sweep started reauth/${session.id}, which was ${state} and not running`,
      );
      return true;
    } finally {
      // To the end of the queue, also when it failed: the ones behind it get their turn in the next round.
      await store.touchSession(session.id, state, now());
    }
  });
}

/** Marked, and its workflow was never started or ended early. */
async function startDeletions({ store, workflows, log, now, settings }: ActivityDependencies): Promise<number> {
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  const credentials = await store.listUnfinishedDeletions(before, batch);
  return countDone(credentials, log, async ({ id, provider, epoch }) => {
    try {
      return await workflows.startDeletion({ credentialId: id, provider, epoch });
    } finally {
      // To the end of the queue, also while it runs, for up to days: the ones behind it get their turn in the next round.
      await store.touchDeletion(id, epoch, now());
    }
  });
}

async function finishIntegrations(dependencies: ActivityDependencies): Promise<number> {
  const { store, log, now, settings } = dependencies;
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  const created = await store.listStaleIntegrations('creating', before, slowBatch);
  const deleting = await store.listStaleIntegrations('deleting', before, batch);
  return (
    (await countDone(created, log, async integration => {
      const after = await finishCreation(dependencies, integration);
      if (after?.status !== 'IN_CREATION') return true;
      // To the end of the queue: a telling that takes its time must not hold up the ones behind it.
      await store.compareAndSetIntegration(after.id, after.version, { state: after.state }, now());
      return false;
    })) +
    (await countDone(deleting, log, async ({ id }) => {
      await store.deleteSubscription(id);
      return store.deleteIntegration(id);
    }))
  );
}

import type { Activities } from '../contracts/activities.js';
import { exchangeAbandonedAfterMs, type SessionState } from '../domain/session.js';
import type { ActivityDependencies } from './dependencies.js';
import { finishCreation } from '../integrations/finish-creation.js';

const batch = 200;

/** Each part is bounded; what a round does not reach, the next one does. One row's failure leaves the others be. */
export function sweep(dependencies: ActivityDependencies): Activities['sweep'] {
  return async () => ({
    ended: await endAbandonedExchanges(dependencies),
    started: (await startUnstarted(dependencies, 'exchanged')) + (await startUnstarted(dependencies, 'connected')),
    finished: await finishIntegrations(dependencies),
    deleted: await dependencies.store.deleteEndedSessions(
      new Date(dependencies.now().getTime() - dependencies.settings.sessionRetentionMs),
      1000,
    ),
  });
}

/** The code was claimed and its process died before the grant was sealed: whether it was spent, nobody knows. */
async function endAbandonedExchanges({ store, log, now }: ActivityDependencies): Promise<number> {
  const before = new Date(now().getTime() - exchangeAbandonedAfterMs);
  let ended = 0;
  for (const session of await store.listStaleSessions(['exchanging'], before, batch)) {
    const result = await store.endSession(session.id, 'exchanging', 'exchange_outcome_unknown', now());
    if (result === null) continue;
    ended += 1;
    log.warn(
      { sessionId: session.id, provider: session.provider },
      `Attempt ${session.id} was cut off while its code was exchanged: ended as exchange_outcome_unknown`,
    );
  }
  return ended;
}

async function startUnstarted(dependencies: ActivityDependencies, state: SessionState): Promise<number> {
  const { store, workflows, log, now, settings } = dependencies;
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  let started = 0;
  for (const session of await store.listStaleSessions([state], before, batch)) {
    if (await workflows.startReauth({ sessionId: session.id, provider: session.provider })) {
      started += 1;
      log.info(
        { sessionId: session.id, state },
        `The sweep started reauth/${session.id}, which was ${state} and not running`,
      );
    }
    await store.touchSession(session.id, state, now());
  }
  return started;
}

async function finishIntegrations(dependencies: ActivityDependencies): Promise<number> {
  const { store, log, now, settings } = dependencies;
  const before = new Date(now().getTime() - settings.sweepAfterMs);
  let finished = 0;
  for (const integration of await store.listStaleIntegrations('creating', before, batch)) {
    try {
      await finishCreation(dependencies, integration);
      finished += 1;
    } catch (error) {
      log.warn({ integrationId: integration.id, error }, `The creation of ${integration.id} could not be finished yet`);
    }
  }
  for (const integration of await store.listStaleIntegrations('deleting', before, batch)) {
    if (await store.deleteIntegration(integration.id)) finished += 1;
  }
  return finished;
}

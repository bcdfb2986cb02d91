import type { SweepResult } from '../../contracts/activities.js';
import type { Provider } from '../../providers/configure-provider.js';
import type { Credential } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import { countDone } from './count-done.js';

const defaultPerMinute = 400;
/** A run that was begun is left alone for this long before the sweep looks at it again; up to half more. Milliseconds. */
const lookAgainAfterMs = 10 * 60_000;
const warnBatch = 100;
const day = 24 * 3_600_000;

/** Begins the refreshes that fell due, provider by provider and each at its own pace, and warns of grants that end. */
export async function sweepRefreshes(
  dependencies: ActivityDependencies,
): Promise<Pick<SweepResult, 'refreshes' | 'warned'>> {
  let refreshes = 0;
  for (const provider of dependencies.providers.list()) refreshes += await refreshDue(dependencies, provider);
  return { refreshes, warned: await warnOfEnds(dependencies) };
}

/** Of a provider that is down, or rejects our client, one is begun, to find out whether that is over; the rest waits. */
async function refreshDue(dependencies: ActivityDependencies, provider: Provider): Promise<number> {
  const { store, log, breakers, clientFaults, settings, now } = dependencies;
  const pace = ((provider.refreshesPerMinute ?? defaultPerMinute) * settings.sweepIntervalMs) / 60_000;
  const isHeldBack = breakers.isOpen(provider.id) || clientFaults.isRejected(provider.id);
  const limit = isHeldBack ? 1 : Math.max(1, Math.round(pace));
  const due = await store.listDueRefreshes(provider.id, now(), limit);
  return countDone(due, log, credential => begin(dependencies, credential));
}

async function begin({ store, workflows, now }: ActivityDependencies, credential: Credential): Promise<boolean> {
  const { id, provider, generation, refreshTry } = credential;
  const start = await workflows.startRefresh({ credentialId: id, provider, generation, refreshTry });
  if (start === 'closed') {
    // Terminated, or lost: the row is as it was before that run. The next round begins another.
    await store.raiseRefreshTry(id, generation, refreshTry, now());
    return false;
  }
  // To the end of the queue, also while it runs: the ones behind it get their turn in the next round.
  const waitMs = lookAgainAfterMs * (1 + Math.random() / 2);
  await store.postponeRefresh(id, generation, new Date(now().getTime() + waitMs));
  return start === 'started';
}

/** One line for each grant that only its user can renew, while there is time. */
async function warnOfEnds({ store, log, now }: ActivityDependencies): Promise<number> {
  const ending = await store.listEndingGrants(now(), warnBatch);
  return countDone(ending, log, async ({ id, provider, userId, grantEndsAt, grantWarnAt }) => {
    if (grantEndsAt === null || grantWarnAt === null || !(await store.noteGrantWarned(id, grantWarnAt))) return false;
    const days = Math.max(0, Math.floor((grantEndsAt.getTime() - now().getTime()) / day));
    log.warn(
      { credentialId: id, provider, userId, grantEndsAt: grantEndsAt.toISOString() },
      `The grant of ${id} at ${provider} ends in ${days} days, whatever is done. Have its user reconnect before.`,
    );
    return true;
  });
}

import type { IntegrationId } from '../../domain/ids.js';
import { isAtWork, isStateAtWork } from '../../integrations/gate-of.js';
import type { Integration, Subscription } from '../../store/port/store.js';
import { findDuePreparation } from '../deliveries/find-due-preparation.js';
import type { ActivityDependencies } from '../dependencies.js';
import { walkPages } from '../for-each-page.js';
import { wakeEach } from './wake-each.js';

const hourMs = 3_600_000;

/**
 * Wakes those whose subscription is due, and those that came back and whose hook for that has not run. Both lists are
 * walked to their ends: what cannot run now (its gate is closed, its type is gone) keeps its place in them, and must not
 * stand in the way of what can.
 */
export async function wakePrepared(dependencies: ActivityDependencies): Promise<number> {
  const { store, now, settings } = dependencies;
  const at = now();
  const woken = new Set<IntegrationId>();
  const wake = async (ids: readonly IntegrationId[]) => {
    const fresh = ids.filter(id => !woken.has(id));
    for (const id of fresh) woken.add(id);
    count += await wakeEach(dependencies, fresh);
  };
  let count = 0;
  await walkPages(
    page => store.listDueSubscriptions(at, page),
    async due => wake(await findDue(dependencies, due, at)),
  );
  const before = new Date(at.getTime() - settings.sweepAfterMs);
  await walkPages(
    page => store.listUnresumedIntegrations(before, page),
    async unresumed => wake(await findUnresumed(dependencies, unresumed, at)),
  );
  return count;
}

async function findDue(
  { store, integrations }: ActivityDependencies,
  due: readonly Subscription[],
  at: Date,
): Promise<readonly IntegrationId[]> {
  const rows = await store.readIntegrationGates(due.map(({ integrationId }) => integrationId));
  const byId = new Map(rows.map(row => [row.id, row]));
  const found: IntegrationId[] = [];
  for (const subscription of due) {
    const { integrationId } = subscription;
    const row = byId.get(integrationId) ?? null;
    if (row === null) await store.deleteSubscription(integrationId);
    else if (isAtWork(row)) {
      const definition = integrations.find(row.type);
      // A type that is no longer defined may come back, and its subscriptions are due then.
      if (definition === null) continue;
      if (definition.ensureSubscription !== undefined || (await isUnresumed(store, integrationId))) {
        found.push(integrationId);
      } else await postponeSubscription(store, subscription, at);
    }
  }
  return found;
}

async function isUnresumed(store: ActivityDependencies['store'], id: IntegrationId): Promise<boolean> {
  return ((await store.getIntegration(id))?.resumeSince ?? null) !== null;
}

/**
 * Its type has no hook here. A worker of another version may have one, and has to find it: only an hour later, so that
 * the list does not fill with what cannot run. Everything else stays, since the provider goes on signing with its secrets;
 * but a failure of a hook that is gone for good does not show for ever, and no two versions live together for a day.
 */
async function postponeSubscription(
  store: ActivityDependencies['store'],
  { integrationId, version, sealedSecrets, expiresAt, failure }: Subscription,
  at: Date,
): Promise<void> {
  const isOver = failure !== null && at.getTime() - failure.since.getTime() > 24 * hourMs;
  await store.compareAndSetSubscription(integrationId, version, {
    sealedSecrets,
    expiresAt,
    dueAt: new Date(at.getTime() + hourMs),
    failure: isOver ? null : failure,
  });
}

/** After a failure the hook waits for its time, and a wake before it would find nothing to do. */
async function findUnresumed(
  { store, integrations }: ActivityDependencies,
  unresumed: readonly Integration[],
  at: Date,
): Promise<readonly IntegrationId[]> {
  const found: IntegrationId[] = [];
  for (const integration of unresumed) {
    if (!isStateAtWork(integration.state)) continue;
    const subscription = await store.getSubscription(integration.id);
    const due = findDuePreparation(integrations.find(integration.type), integration, subscription, at);
    if (due.subscription || due.resume) found.push(integration.id);
  }
  return found;
}

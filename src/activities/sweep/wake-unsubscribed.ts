import { isAtWork } from '../../integrations/gate-of.js';
import type { ActivityDependencies } from '../dependencies.js';
import { wakeEach } from './wake-each.js';

const lookedAtOnce = 500;

/**
 * Wakes integrations whose type has ensureSubscription and that have no subscription's row: the hook never ran for them,
 * because their type gained it later, and no delivery comes that could wake them. Each round looks at the next few of all
 * integrations, and begins anew behind the last one: how far this process is need not survive it, since a wake too many
 * finds nothing to do.
 */
export function wakeUnsubscribed(dependencies: ActivityDependencies): () => Promise<number> {
  const { store, integrations, now, settings } = dependencies;
  let after: string | null = null;
  return async () => {
    if (!integrations.list().some(({ ensureSubscription }) => ensureSubscription !== undefined)) return 0;
    const { rows, next } = await store.listUnsubscribedIntegrations({ limit: lookedAtOnce, after });
    after = next;
    const before = now().getTime() - settings.sweepAfterMs;
    const unsubscribed = rows.filter(
      row =>
        isAtWork(row) &&
        row.statusSince.getTime() < before &&
        integrations.find(row.type)?.ensureSubscription !== undefined,
    );
    return wakeEach(
      dependencies,
      unsubscribed.map(({ id }) => id),
    );
  };
}

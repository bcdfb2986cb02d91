import { takesWebhooks } from '../integrations/definition.js';
import { isStateAtWork } from '../integrations/gate-of.js';
import type { Integration } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Wakes an integration whose gate is open after a change that may have opened it. Also where this very call changed
 * nothing: the attempt before may have died between its write and this signal. A wake too many finds nothing to do, so
 * what decides is whether something waits.
 */
export async function wakeReopened(
  { store, integrations, workflows }: Pick<ActivityDependencies, 'store' | 'integrations' | 'workflows'>,
  { after }: { readonly after: Integration },
): Promise<void> {
  if (!isStateAtWork(after.state)) return;
  const takes = takesWebhooks(integrations.find(after.type));
  const waits = after.resumeSince !== null || (takes && (await store.hasPendingDeliveries(after.id)));
  if (waits) await workflows.wakeWebhooks(after.id);
}

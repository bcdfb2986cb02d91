import type { IntegrationState } from '../domain/integration-state.js';
import type { Transition } from './change-integration.js';
import { isStateAtWork } from './gate-of.js';
import type { IntegrationCatalogue } from './load-integrations.js';

interface CutOff {
  readonly type: string;
  readonly state: IntegrationState;
  readonly statusSince: Date;
  readonly resumeSince: Date | null;
}

/**
 * Puts to a change that opens an integration's gate since when it was closed, for the hooks that make up for it. An
 * outage that was not made up for yet keeps its beginning. Types without such hooks need no mark; one that is not defined
 * may have them when it is back.
 */
export function comeBack(
  integrations: Pick<IntegrationCatalogue, 'find'>,
  before: CutOff,
  next: IntegrationState,
): Transition {
  const definition = integrations.find(before.type);
  const mayHaveHooks =
    definition === null || definition.ensureSubscription !== undefined || definition.onReconnected !== undefined;
  if (next === before.state || !mayHaveHooks || before.resumeSince !== null) return next;
  const wasOpen = isStateAtWork(before.state);
  const isOpen = isStateAtWork(next);
  if (wasOpen || !isOpen) return next;
  const since = before.state.causes.map(cause => cause.since).sort();
  return { state: next, resumeSince: since[0] === undefined ? before.statusSince : new Date(since[0]) };
}

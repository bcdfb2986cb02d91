import type { IntegrationDefinition } from '../../integrations/definition.js';
import type { Integration, Subscription } from '../../store/port/store.js';

/**
 * Which of the hooks that come before deliveries are due. After a failure both wait for the subscription's `dueAt`, unless
 * the integration was cut off since: then they are tried once before what was held is released.
 */
export interface DuePreparation {
  readonly subscription: boolean;
  readonly resume: boolean;
}

export function findDuePreparation(
  definition: IntegrationDefinition | null,
  integration: Pick<Integration, 'resumeSince' | 'statusSince'>,
  subscription: Subscription | null,
  now: Date,
): DuePreparation {
  // A type that is no longer defined may come back, and what is to be made up for stays due until then.
  if (definition === null) return { subscription: false, resume: false };
  const cameBack = integration.resumeSince !== null;
  const dueAt = subscription?.dueAt ?? null;
  // What expires and has no time was left by an earlier version, where its type had no hook: the hook is back.
  const isDue = dueAt === null ? (subscription?.expiresAt ?? null) !== null : dueAt <= now;
  const failure = subscription?.failure ?? null;
  if (failure !== null && !isDue && failure.since >= findSeriesStart(integration))
    return { subscription: false, resume: false };
  return {
    subscription: definition.ensureSubscription !== undefined && (subscription === null || isDue || cameBack),
    resume: cameBack,
  };
}

/**
 * From when on failures of the hooks count as one series, the first of which `failure.since` names: a comeback that was
 * not made up for yet begins a new one. The status alone does not tell of each cut, since NEEDS_CONFIG outlives it.
 */
export function findSeriesStart({ resumeSince, statusSince }: Pick<Integration, 'resumeSince' | 'statusSince'>): Date {
  if (resumeSince === null) return new Date(0);
  return resumeSince > statusSince ? resumeSince : statusSince;
}

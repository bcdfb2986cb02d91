import type { IntegrationDefinition } from '../../integrations/definition.js';
import type { Integration, Subscription } from '../../store/port/store.js';

/** Which of the hooks that come before deliveries are due. After a failure both wait for the subscription's `dueAt`. */
export interface DuePreparation {
  readonly subscription: boolean;
  readonly resume: boolean;
}

export function findDuePreparation(
  definition: IntegrationDefinition | null,
  integration: Pick<Integration, 'resumeSince'>,
  subscription: Subscription | null,
  now: Date,
): DuePreparation {
  // A type that is no longer defined may come back, and what is to be made up for stays due until then.
  if (definition === null) return { subscription: false, resume: false };
  const cameBack = integration.resumeSince !== null;
  const dueAt = subscription?.dueAt ?? null;
  // What expires and has no time was left by an earlier version, where its type had no hook: the hook is back.
  const isDue = dueAt === null ? (subscription?.expiresAt ?? null) !== null : dueAt <= now;
  if ((subscription?.failure ?? null) !== null && !isDue) return { subscription: false, resume: false };
  return {
    subscription: definition.ensureSubscription !== undefined && (subscription === null || isDue || cameBack),
    resume: cameBack,
  };
}

import type { EnsuredSubscription } from '../../integrations/definition.js';
import { retryDelayMs } from '../../domain/delivery.js';
import { changeSubscription } from '../../integrations/change-subscription.js';
import type { Integration, Subscription, SubscriptionWrite } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import { Secret } from '../../vault/secret.js';
import { encodeSecrets } from '../../vault/subscription-secrets-codec.js';
import type { ActivityDependencies } from '../dependencies.js';
import { findSeriesStart } from './find-due-preparation.js';
import { joinSecrets } from './join-secrets.js';

const shortestWaitMs = 10_000;

export interface FailedTry {
  /** For its user; cut to 300 characters. */
  readonly detail: string;
  readonly startedAt: Date;
}

/** At three quarters of the rest of its life: the last quarter is for tries that fail. */
function renewAt(expiresAt: Date, at: Date): Date {
  return new Date(at.getTime() + Math.max((expiresAt.getTime() - at.getTime()) * 0.75, 60_000));
}

/**
 * Writes beside the subscription what became of the hooks.
 *
 * Secrets that the hook does not bring are left as they are: a handshake may have brought them, before or meanwhile.
 * Those that the hook does bring replace the ones known before it ran. Those that came while it ran stay beside them, and
 * the hook is due soon: what it brings then, with nobody else at it, counts alone. This holds for an attempt that was
 * given up on too, since its registration at the provider may have been the last.
 *
 * @param before As it was read before the hook ran.
 * @param ensured What the hook brought; undefined when it was not run, failed, or is written already.
 * @param end The failure; null: there was none, and an earlier one is over; `open`: another hook is still to run, and an
 *   earlier failure stands until then, with its wait.
 * @throws RelinkError `write_conflict` when others kept writing meanwhile.
 */
export async function recordPreparation(
  { store, vault, integrations, now }: ActivityDependencies,
  integration: Integration,
  before: Subscription | null,
  ensured: EnsuredSubscription | null | undefined,
  end: FailedTry | 'open' | null,
): Promise<void> {
  const { id, type } = integration;
  const at = now();
  const hasHook = integrations.find(type)?.ensureSubscription !== undefined;
  const secrets = (ensured?.secrets ?? []).map(secret => new Secret(secret));
  const binding = subscriptionSecretsBinding(id);
  const seal = (some: readonly Secret[]) => vault.seal(encodeSecrets(some), binding);
  const brought = secrets.length === 0 ? null : seal(secrets);
  await changeSubscription(store, id, (known): SubscriptionWrite | null => {
    // Deleted meanwhile, together with its integration.
    if (known === null && before !== null) return null;
    const expiresAt = ensured === undefined ? (known?.expiresAt ?? null) : (ensured?.expiresAt ?? null);
    const theirs = known?.sealedSecrets ?? null;
    const renewedAt = expiresAt === null ? null : renewAt(expiresAt, at);
    const write = {
      sealedSecrets: brought ?? theirs,
      expiresAt,
      // Without the hook here, another worker may have it: what is due stays due to that one.
      dueAt: hasHook ? renewedAt : (known?.dueAt ?? null),
      failure: null,
    };
    if (brought !== null && theirs !== null && theirs !== before?.sealedSecrets) {
      const joined = joinSecrets(secrets, () => vault.open(theirs, binding));
      write.sealedSecrets = seal(joined.secrets);
      if (joined.isContested) write.dueAt = new Date(at.getTime() + shortestWaitMs);
    }
    const failure = known?.failure ?? null;
    if (end === 'open') return failure === null ? write : { ...write, failure, dueAt: known?.dueAt ?? null };
    return end === null ? write : { ...write, ...noteFailure(integration, failure, end, at) };
  });
}

/**
 * A new series is dated from the start of its first try, so that a comeback while that ran counts as one that was not
 * tried yet; and never from before the comeback that it was made for, whatever the clocks say: that would be tried on and on.
 */
function noteFailure(
  integration: Integration,
  before: Subscription['failure'],
  { detail, startedAt }: FailedTry,
  at: Date,
): Pick<SubscriptionWrite, 'dueAt' | 'failure'> {
  const start = findSeriesStart(integration);
  const series = before !== null && before.since >= start ? before : null;
  const since = series?.since ?? (startedAt > start ? startedAt : start);
  const tries = (series?.tries ?? 0) + 1;
  const waitMs = Math.max(retryDelayMs(tries, Math.random()), shortestWaitMs);
  return {
    dueAt: new Date(at.getTime() + waitMs),
    failure: { detail: detail.slice(0, 300), since, tries },
  };
}

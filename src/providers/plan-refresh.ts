import type { ProviderDefinition } from './definition.js';

const day = 24 * 3_600_000;
const longestMarginMs = 15 * 60_000;
const longestWarningMs = 14 * day;

/** How long before its end a token of this lifetime is refreshed: a fifth of it, at most 15 minutes. Milliseconds. */
export function refreshMarginMs(lifetimeMs: number): number {
  return Math.min(longestMarginMs, Math.max(0, lifetimeMs) / 5);
}

/**
 * When a token falls due for a refresh: ahead of its expiry by the margin, and by up to half of it more, so that tokens
 * of one hour do not all fall due in one minute; and halfway to the end that an idle grant would come to.
 *
 * @param issuedAt Taken before the request that brought it.
 * @param random From 0 up to 1.
 */
export function planRefresh(
  provider: Pick<ProviderDefinition, 'grantLimits'>,
  { refreshable, expiresAt }: { readonly refreshable: boolean; readonly expiresAt: Date | null },
  issuedAt: Date,
  random: number,
): { readonly refreshDueAt: Date | null } {
  if (!refreshable) return { refreshDueAt: null };
  const { idleMs } = provider.grantLimits ?? {};
  const lifetimeMs = expiresAt === null ? null : expiresAt.getTime() - issuedAt.getTime();
  const waits = [
    ...(lifetimeMs === null ? [] : [lifetimeMs - refreshMarginMs(lifetimeMs) * (1 + random / 2)]),
    ...(idleMs === undefined ? [] : [(idleMs / 2) * (1 - random / 10)]),
  ];
  return { refreshDueAt: waits.length === 0 ? null : new Date(issuedAt.getTime() + Math.max(0, Math.min(...waits))) };
}

/** When a new grant ends whatever is done, and when to warn of it: two weeks before, or a fifth of its life. */
export function planGrantEnd(
  { grantLimits }: Pick<ProviderDefinition, 'grantLimits'>,
  grantedAt: Date,
): { readonly grantEndsAt: Date | null; readonly grantWarnAt: Date | null } {
  const hardMs = grantLimits?.hardMs;
  if (hardMs === undefined) return { grantEndsAt: null, grantWarnAt: null };
  const endsAt = grantedAt.getTime() + hardMs;
  return { grantEndsAt: new Date(endsAt), grantWarnAt: new Date(endsAt - Math.min(longestWarningMs, hardMs / 5)) };
}

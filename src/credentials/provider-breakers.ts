import type { CredentialId, ProviderId } from '../domain/ids.js';
import type { Log } from '../log.js';

/** Failures in a row, of whatever credentials, from which on a provider counts as down. */
const failuresToOpen = 5;
const firstPauseMs = 10_000;
const longestPauseMs = 2 * 60_000;
/** What was held back comes again spread over this long, so that the provider is not met by all of it at once. */
const spreadMs = 15_000;

interface Breaker {
  failures: number;
  /** Whose failures they were, two at most. While it is one alone, the trouble may be its account's, or its own host's. */
  readonly failedCredentials: Set<CredentialId>;
  /** Whether another credential was let through since it opened. */
  isOtherAsked: boolean;
  isProbing: boolean;
  isTold: boolean;
  /** Null while closed. */
  openedAt: number | null;
  pauseMs: number;
  nextProbeAt: number;
  held: number;
}

export interface Admission {
  /** Null: go ahead. Else the provider is down; ask again after so many milliseconds. */
  readonly waitMs: number | null;
  /** The one request that finds out whether the provider is back. */
  readonly isProbe: boolean;
}

export interface ProviderBreakers {
  /** Ask when all else is ready: whoever goes ahead should send, and has to note what became of it. */
  admit(provider: ProviderId, credential: CredentialId): Admission;
  /** An answer of the provider's own, of whatever content. */
  noteAnswer(provider: ProviderId): void;
  /** No answer, or one that says that it is down. `isProbe` as the admission said: only that one prolongs the pauses. */
  noteFailure(provider: ProviderId, credential: CredentialId, reason: string, isProbe: boolean): void;
  isOpen(provider: ProviderId): boolean;
}

/**
 * One breaker per provider, for this process: an outage is one incident with one line at its beginning and one at its
 * end. While it is open, one request at a time finds out whether the provider is back; the others wait without asking.
 * Opened by one credential's failures alone, it lets the first other one find out at once, and tells nothing until that
 * fails too, or nobody else came and the next probe fails.
 */
export function createProviderBreakers(
  log: Log,
  now: () => number = Date.now,
  random: () => number = Math.random,
): ProviderBreakers {
  const breakers = new Map<ProviderId, Breaker>();

  const breakerOf = (provider: ProviderId): Breaker => {
    const known = breakers.get(provider);
    if (known !== undefined) return known;
    const breaker: Breaker = {
      failures: 0,
      failedCredentials: new Set(),
      isOtherAsked: false,
      isProbing: false,
      isTold: false,
      openedAt: null,
      pauseMs: firstPauseMs,
      nextProbeAt: 0,
      held: 0,
    };
    breakers.set(provider, breaker);
    return breaker;
  };

  return {
    admit(provider, credential) {
      const breaker = breakerOf(provider);
      if (breaker.openedAt === null) return { waitMs: null, isProbe: false };
      const { failedCredentials, isOtherAsked, isProbing } = breaker;
      const isOther = failedCredentials.size === 1 && !failedCredentials.has(credential);
      const asksAtOnce = isOther && !isOtherAsked && !isProbing;
      if (asksAtOnce || now() >= breaker.nextProbeAt) {
        breaker.isOtherAsked ||= isOther;
        breaker.isProbing = true;
        // The probe. Should it never come back, the next one may go after another pause.
        breaker.nextProbeAt = now() + breaker.pauseMs;
        return { waitMs: null, isProbe: true };
      }
      breaker.held += 1;
      return { waitMs: Math.ceil(breaker.nextProbeAt - now() + random() * spreadMs), isProbe: false };
    },

    noteAnswer(provider) {
      const { openedAt, isTold, held } = breakerOf(provider);
      breakers.delete(provider);
      if (openedAt === null || !isTold) return;
      const lastedS = Math.round((now() - openedAt) / 1000);
      log.info(
        { provider, lastedS, held },
        `${provider} answers again after ${lastedS} s; requests held back: ${held}`,
      );
    },

    noteFailure(provider, credential, reason, isProbe) {
      const breaker = breakerOf(provider);
      breaker.failures += 1;
      // Two are as telling as thousands.
      if (breaker.failedCredentials.size < 2) breaker.failedCredentials.add(credential);
      if (breaker.openedAt === null) {
        if (breaker.failures < failuresToOpen) return;
        breaker.openedAt = now();
        breaker.nextProbeAt = now() + breaker.pauseMs;
      } else if (isProbe) {
        breaker.isProbing = false;
        breaker.pauseMs = Math.min(breaker.pauseMs * 2, longestPauseMs);
        breaker.nextProbeAt = now() + breaker.pauseMs;
      }
      // Any other failure while it is open was sent before, and prolongs nothing.
      if (breaker.isTold || (breaker.failedCredentials.size === 1 && !isProbe)) return;
      breaker.isTold = true;
      log.warn(
        { provider, reason, failures: breaker.failures },
        `${provider} seems to be down (${reason}): its tokens are not refreshed until it answers. No credential is hurt by that.`,
      );
    },

    isOpen: provider => (breakers.get(provider)?.openedAt ?? null) !== null,
  };
}

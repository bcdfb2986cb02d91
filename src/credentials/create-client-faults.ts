import type { ProviderId } from '../domain/ids.js';

export interface ClientFaults {
  /** A provider rejected this product's own client. True: that is news, and one line of level error. */
  noteRejected(provider: ProviderId): boolean;
  /** Met again by a credential that was told before: the incident goes on. */
  noteStillRejected(provider: ProviderId): void;
  /** Whether such an incident goes on. */
  isRejected(provider: ProviderId): boolean;
  /** It took the client: the next rejection is news again. */
  noteAccepted(provider: ProviderId): void;
}

/** A rejection after this long without any is another incident. Milliseconds. */
const incidentMs = 3_600_000;

/**
 * A client that a provider rejects is one fault, however many credentials meet it. Kept in this process: each worker
 * tells it once.
 */
export function createClientFaults(now: () => number = Date.now): ClientFaults {
  const lastRejectedAt = new Map<ProviderId, number>();
  const isRejected = (provider: ProviderId) => now() - (lastRejectedAt.get(provider) ?? -Infinity) <= incidentMs;
  return {
    noteRejected(provider) {
      const isNews = !isRejected(provider);
      lastRejectedAt.set(provider, now());
      return isNews;
    },
    noteStillRejected(provider) {
      if (isRejected(provider)) lastRejectedAt.set(provider, now());
    },
    isRejected,
    noteAccepted: provider => void lastRejectedAt.delete(provider),
  };
}

import type { DeliveryReason } from '../../domain/delivery.js';
import type { IntegrationId } from '../../domain/ids.js';
import type { Log } from '../../log.js';

/** Integrations remembered as failing; the oldest is forgotten first, and would be told once more. */
const maxRemembered = 10_000;

/** What a consumer tells of its deliveries. */
export interface OutcomeNotes {
  succeeded(): void;
  failed(reason: DeliveryReason, detail: string | null): void;
  /** A delivery was sealed with a key that this worker does not have. */
  unreadable(): void;
}

/**
 * One line when an integration's deliveries begin to fail and one when they are handled again; what happens in between
 * is in the rows. A missing key concerns many at once and is told for the first one alone.
 */
export function noteOutcomes(log: Log) {
  const failing = new Set<IntegrationId>();
  let unreadable: IntegrationId | null = null;
  return {
    for: (integrationId: IntegrationId): OutcomeNotes => ({
      succeeded() {
        if (unreadable === integrationId) unreadable = null;
        if (failing.delete(integrationId)) {
          log.info({ integrationId }, `Deliveries of ${integrationId} are handled again`);
        }
      },
      failed(reason, detail) {
        if (failing.has(integrationId)) return;
        for (const oldest of failing) {
          if (failing.size < maxRemembered) break;
          failing.delete(oldest);
        }
        failing.add(integrationId);
        log.warn(
          { integrationId, reason, detail },
          `Deliveries of ${integrationId} fail: ${reason}${detail === null ? '' : `, ${detail}`}. See its deliveries for each one.`,
        );
      },
      unreadable() {
        if (unreadable !== null) return;
        unreadable = integrationId;
        log.error(
          { integrationId },
          `Deliveries of ${integrationId} were sealed with a key that this worker lacks. They wait, and so do those of others sealed with it: put the key back into RELINK_KEYS and restart the worker.`,
        );
      },
    }),
  };
}

import type { IntegrationId } from '../../domain/ids.js';
import type { Log } from '../../log.js';
import type { DeliveryOutcome } from '../../store/port/store.js';
import type { CountEnded } from '../count-ended.js';

/** Integrations remembered as failing; the oldest is forgotten first, and would be told once more. */
const maxRemembered = 10_000;
/** So long without a failure, after the last retry that is due, makes it over. Milliseconds. */
const quietMs = 60_000;
/** What was not heard of for so long beyond that went on in another worker, and counts as new. Milliseconds. */
const forgottenAfterMs = 2 * 3_600_000;

type Failure = Pick<Extract<DeliveryOutcome, { readonly reason: unknown }>, 'reason' | 'detail' | 'nextAttemptAt'>;

/** What a consumer tells of its deliveries. */
export interface OutcomeNotes {
  succeeded(): void;
  failed(failure: Failure): void;
  /** After `failed`: it is not tried again. */
  gaveUp(reason: Failure['reason']): void;
  /** A delivery was sealed with a key that this worker does not have. */
  keyMissing(): void;
}

/**
 * One line when an integration's deliveries begin to fail and one when they are handled again; what happens in between
 * is in the rows. A success among failures is no end of them: over it is when none came for a while, the retries
 * included that were still due. A missing key concerns many at once and is told for the first one alone.
 */
export function noteOutcomes(log: Log) {
  const failing = new Map<IntegrationId, { readonly quietAt: number; end: NodeJS.Timeout | undefined }>();
  let withoutKey: IntegrationId | null = null;

  function remember(integrationId: IntegrationId, nextAttemptAt: Date | null): { readonly isNew: boolean } {
    const known = failing.get(integrationId);
    clearTimeout(known?.end);
    const now = Date.now();
    const quietAt = Math.max(known?.quietAt ?? 0, now + quietMs, (nextAttemptAt?.getTime() ?? 0) + quietMs);
    failing.set(integrationId, { quietAt, end: undefined });
    for (const [oldest, { end }] of failing) {
      if (failing.size <= maxRemembered) break;
      clearTimeout(end);
      failing.delete(oldest);
    }
    return { isNew: known === undefined || known.quietAt + forgottenAfterMs < now };
  }

  return {
    for: (integrationId: IntegrationId, count: CountEnded): OutcomeNotes => ({
      gaveUp: reason => count('failed', reason),
      succeeded() {
        if (withoutKey === integrationId) withoutKey = null;
        const known = failing.get(integrationId);
        if (known === undefined || known.end !== undefined) return;
        const tell = () => {
          failing.delete(integrationId);
          log.info({ integrationId }, `Deliveries of ${integrationId} are handled again`);
        };
        known.end = setTimeout(tell, Math.max(known.quietAt - Date.now(), 0)).unref();
      },
      failed({ reason, detail, nextAttemptAt }) {
        if (!remember(integrationId, nextAttemptAt).isNew) return;
        log.warn(
          { integrationId, reason, detail },
          `Deliveries of ${integrationId} fail: ${reason}${detail === null ? '' : `, ${detail}`}. See its deliveries for each one.`,
        );
      },
      keyMissing() {
        if (withoutKey !== null) return;
        withoutKey = integrationId;
        log.error(
          { integrationId },
          `Deliveries of ${integrationId} were sealed with a key that this worker lacks. They wait, and so do those of others sealed with it: put the key back into RELINK_KEYS and restart the worker.`,
        );
      },
    }),
  };
}

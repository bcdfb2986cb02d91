import type { IntegrationId } from '../../domain/ids.js';
import type { Log } from '../../log.js';
import type { LotTools } from './run-lot.js';

/** Integrations remembered as failing; the oldest is forgotten first, and would be told once more. */
const maxRemembered = 10_000;

/**
 * One line when an integration's deliveries begin to fail and one when they are handled again; what happens in between
 * is in the rows.
 */
export function noteOutcomes(log: Log) {
  const failing = new Set<IntegrationId>();
  return {
    for:
      (integrationId: IntegrationId): LotTools['noteOutcome'] =>
      (kind, reason, detail) => {
        if (kind === 'succeeded') {
          if (failing.delete(integrationId)) {
            log.info({ integrationId }, `Deliveries of ${integrationId} are handled again`);
          }
          return;
        }
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
  };
}

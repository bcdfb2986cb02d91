import type { Core } from './compose.js';
import { ConfigError } from './errors.js';
import type { TemporalSettings } from './temporal/connect-client.js';
import { explainTemporalError } from './temporal/explain-temporal-error.js';

const patienceMs = 5_000;

/**
 * A server serves without Temporal, so that nothing is lost while it is away; a wrong address looks the same, and is told
 * once, at the start.
 *
 * @param stopped After its abort nothing is said: the connection is closed then, and calls end by that.
 */
export async function warnWithoutTemporal(
  { client, log }: Pick<Core, 'client' | 'log'>,
  temporal: TemporalSettings,
  stopped: AbortSignal,
): Promise<void> {
  try {
    await client.withDeadline(Date.now() + patienceMs, () => client.workflowService.getSystemInfo({}));
  } catch (error) {
    if (stopped.aborted) return;
    const explained = explainTemporalError(error, temporal);
    const known = explained instanceof ConfigError;
    const reason = known ? explained.problems.join('; ') : 'Temporal cannot be used.';
    log.warn(known ? {} : { error }, `${reason} Until it answers, callbacks are accepted and wait.`);
  }
}

import { incidentWebhooks, type IncidentResult } from './measure-incident.js';
import type { KillsResult } from './measure-kills.js';

/** What the last line of `npm run bench:refresh` says of safety; how fast it was is in other fields. */
export interface SafetyFigures {
  readonly doomed_calls: number;
  readonly posts_per_round_max: number;
  readonly failed_callers: number;
  readonly grants_lost: number;
  readonly doomed_refusals: number;
  readonly doomed_posts: number;
  readonly killed: Pick<KillsResult, 'lost_outside_window'>;
  readonly dead_grant: IncidentResult;
}

/** Whether nothing was lost, asked twice or told twice. A part that measured nothing is no proof, and counts as unsafe. */
export function isSafeResult(result: SafetyFigures): boolean {
  const { dead_grant: incident, killed } = result;
  return (
    result.grants_lost + result.failed_callers + result.doomed_posts + killed.lost_outside_window === 0 &&
    result.posts_per_round_max === 1 &&
    // Each of the calls has to have met its refusal: one that ended before its request shows nothing.
    result.doomed_refusals >= result.doomed_calls &&
    // A shorter incident would prove less than what is said of it.
    incident.webhooks === incidentWebhooks &&
    incident.error_lines === 1 &&
    incident.token_posts === 0 &&
    incident.status_writes === 1 &&
    incident.notifications === 1
  );
}

import type { Info } from '@temporalio/activity';

/** The name of this attempt in claims: no other attempt, of this activity or another, has the same. */
export function nameClaim({ workflowExecution, activityId, attempt }: Info): string {
  return `${workflowExecution?.runId ?? 'none'}/${activityId}/${attempt}`;
}

import { proxyActivities } from '@temporalio/workflow';
import type { SweepActivities, SweepResult } from '../contracts/activities.js';

/** The next run of the schedule repeats what this one could not do, so a failing sweep is given up early. */
const { sweep: sweepOnce } = proxyActivities<SweepActivities>({
  startToCloseTimeout: '2 minutes',
  // A killed worker must not hold up the next rounds, which the schedule skips while this one runs.
  heartbeatTimeout: '15 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 3 },
});

/** Started by the Schedule: finishes what was written but not started. */
export async function sweep(): Promise<SweepResult> {
  return await sweepOnce();
}

import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import { sweepScheduleId, sweepWorkflowId } from '../contracts/workflow-ids.js';

const deadlineMs = 10_000;

/**
 * Creates the sweep's Schedule, or brings the existing one to these settings, and fires it once: what was written
 * while nothing ran is started now, not an interval later. Safe from several workers at once: one creates, the others
 * update to the same.
 */
export async function ensureSweepSchedule(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  const options = {
    scheduleId: sweepScheduleId,
    spec: { intervals: [{ every: intervalMs }] },
    action: { type: 'startWorkflow', workflowType: 'sweep', workflowId: sweepWorkflowId, taskQueue, args: [] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  } satisfies ScheduleOptions;
  await client.withDeadline(Date.now() + deadlineMs, async () => {
    try {
      await client.schedule.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const { spec, action, policies } = options;
      await client.schedule.getHandle(sweepScheduleId).update(previous => ({ ...previous, spec, action, policies }));
    }
    await client.schedule.getHandle(sweepScheduleId).trigger(ScheduleOverlapPolicy.SKIP);
  });
}

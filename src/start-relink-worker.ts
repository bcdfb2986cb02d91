import { createActivities } from './activities/create-activities.js';
import { type Core, defaultBundlePath } from './compose.js';
import type { TemporalSettings } from './temporal/connect-client.js';
import { type RunningWorker, startWorker } from './temporal/create-worker.js';
import { ensureSweepSchedule } from './temporal/ensure-sweep-schedule.js';
import { registerSearchAttributes } from './temporal/register-search-attributes.js';

/** Readies the namespace, then polls. The database is checked first: a worker without it would only fail activities. */
export async function startRelinkWorker(core: Core, temporal: TemporalSettings): Promise<RunningWorker> {
  const { config, log } = core;
  await core.store.check();
  await registerSearchAttributes(temporal, log);
  const worker = await startWorker({
    temporal,
    taskQueue: config.taskQueue,
    activities: createActivities({ ...core, settings: config }),
    log,
    workflows: { codePath: config.workflowBundle ?? defaultBundlePath() },
    // Two at least: the sweep waits in an activity for a workflow that needs another one.
    maxConcurrentActivities: Math.max(2, config.databasePool),
  });
  try {
    await ensureSweepSchedule(core.client, config.taskQueue, config.sweepIntervalMs);
  } catch (error) {
    await worker.stop();
    throw error;
  }
  return worker;
}

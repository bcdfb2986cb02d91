import { existsSync } from 'node:fs';
import { createActivities } from './activities/create-activities.js';
import { checkStart } from './check-start.js';
import { composeHandlers } from './compose-handlers.js';
import { type Core, defaultBundlePath } from './compose.js';
import { ConfigError } from './errors.js';
import type { TemporalSettings } from './temporal/connect-client.js';
import { type RunningWorker, startWorker } from './temporal/create-worker.js';
import { ensureSweepSchedule } from './temporal/ensure-sweep-schedule.js';
import { explainTemporalError } from './temporal/explain-temporal-error.js';
import { registerSearchAttributes } from './temporal/register-search-attributes.js';

/**
 * Readies the namespace, then polls. The database is checked first: a worker without it would only fail activities.
 *
 * @throws ConfigError for what the settings, or the machines they name, lack.
 */
export async function startRelinkWorker(core: Core, temporal: TemporalSettings): Promise<RunningWorker> {
  await checkStart(core);
  if (!existsSync(core.config.workflowBundle ?? defaultBundlePath())) {
    throw new ConfigError([
      'RELINK_WORKFLOW_BUNDLE names a file that does not exist; without it the build has to hold one: `npm run build`',
    ]);
  }
  try {
    return await startPolling(core, temporal);
  } catch (error) {
    throw explainTemporalError(error, temporal);
  }
}

async function startPolling(core: Core, temporal: TemporalSettings): Promise<RunningWorker> {
  const { config, log } = core;
  await registerSearchAttributes(temporal, log);
  const { handlers, ...composed } = composeHandlers(core);
  const worker = await startWorker({
    temporal,
    taskQueue: config.taskQueue,
    activities: createActivities({ ...core, ...composed, handlers, settings: config }),
    log,
    workflows: { codePath: config.workflowBundle ?? defaultBundlePath() },
    // Two at least: the sweep waits in an activity for a workflow that needs another one.
    maxConcurrentActivities: Math.max(2, config.databasePool),
    maxConcurrentDeliveries: config.deliveryConcurrency,
    refreshTimeoutMs: config.refreshTimeoutMs,
  });
  try {
    await ensureSweepSchedule(core.client, config.taskQueue, config.sweepIntervalMs);
  } catch (error) {
    await worker.stop();
    await handlers.close();
    throw error;
  }
  return {
    finished: worker.finished,
    stop: async () => {
      await worker.stop();
      await handlers.close();
    },
  };
}

import { composeCore } from './compose.js';
import { listTypes } from './integrations/list-types.js';
import { loadSettings } from './load-settings.js';
import { createLog } from './log.js';
import { runRole } from './run-role.js';
import { startRelinkWorker } from './start-relink-worker.js';
import { installRuntime } from './temporal/create-worker.js';
import { planShutdown } from './temporal/plan-shutdown.js';
import { warnOfSettings } from './warn-of-settings.js';

/** The worker role of production: `npm run worker`. Runs workflows and activities; as many as wanted. */
const bootLog = createLog('info', 'worker');

void runRole('worker', bootLog, async () => {
  const { config, temporal } = loadSettings(process.env);
  const log = createLog(config.logLevel, 'worker');
  installRuntime(log, config.workerMetricsAddress);
  const core = await composeCore(config, temporal, log);
  warnOfSettings(core, process.env);
  const worker = await startRelinkWorker(core, temporal);
  log.info(
    { taskQueue: config.taskQueue },
    `Relink works on the task queue ${config.taskQueue}; integration types: ${listTypes(core.integrations)}`,
  );
  return {
    finished: worker.finished,
    longestStopMs: planShutdown(config.refreshTimeoutMs).longestStopMs,
    stop: async () => {
      await worker.stop();
      await core.close();
    },
  };
});

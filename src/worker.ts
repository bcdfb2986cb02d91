import { composeCore } from './compose.js';
import { loadConfig } from './config.js';
import { createLog } from './log.js';
import { runRole } from './run-role.js';
import { startRelinkWorker } from './start-relink-worker.js';
import { loadTemporalSettings } from './temporal/connect-client.js';
import { installRuntime } from './temporal/create-worker.js';

/** The worker role of production: `npm run worker`. Runs workflows and activities; as many as wanted. */
const bootLog = createLog('info', 'worker');

void runRole('worker', bootLog, async () => {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel, 'worker');
  const temporal = loadTemporalSettings(process.env);
  installRuntime(log);
  const core = composeCore(config, temporal, log);
  const worker = await startRelinkWorker(core, temporal);
  log.info({ taskQueue: config.taskQueue }, `Relink works on the task queue ${config.taskQueue}`);
  return {
    finished: worker.finished,
    stop: async () => {
      await worker.stop();
      await core.close();
    },
  };
});

import { composeCore } from './compose.js';
import { loadConfig } from './config.js';
import { createLog } from './log.js';
import { runRole } from './run-role.js';
import { startServer } from './start-server.js';
import { loadTemporalSettings } from './temporal/connect-client.js';

/** The HTTP role of production: `npm run server`. As many as wanted, against one database and one Temporal. */
const bootLog = createLog('info', 'server');

void runRole('server', bootLog, async () => {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel, 'server');
  const core = composeCore(config, loadTemporalSettings(process.env), log);
  await core.store.check();
  const server = await startServer(core);
  log.info({ url: server.url, publicUrl: config.publicUrl.origin }, `Relink serves ${server.url}`);
  return {
    stop: async () => {
      await server.stop();
      await core.close();
    },
  };
});

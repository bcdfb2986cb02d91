import { checkStart } from './check-start.js';
import { composeCore } from './compose.js';
import { listTypes } from './integrations/list-types.js';
import { loadSettings } from './load-settings.js';
import { createLog } from './log.js';
import { runRole } from './run-role.js';
import { startServer } from './start-server.js';
import { warnOfSettings } from './warn-of-settings.js';
import { warnWithoutTemporal } from './warn-without-temporal.js';

/** The HTTP role of production: `npm run server`. As many as wanted, against one database and one Temporal. */
const bootLog = createLog('info', 'server');

void runRole('server', bootLog, async () => {
  const { config, temporal } = loadSettings(process.env);
  const log = createLog(config.logLevel, 'server');
  const core = await composeCore(config, temporal, log);
  warnOfSettings(core, process.env);
  await checkStart(core);
  const server = await startServer(core);
  log.info(
    { url: server.url, publicUrl: config.publicUrl.origin },
    `Relink serves ${server.url}; integration types: ${listTypes(core.integrations)}`,
  );
  const stopped = new AbortController();
  void warnWithoutTemporal(core, temporal, stopped.signal);
  return {
    stop: async () => {
      stopped.abort();
      await server.stop();
      await core.close();
    },
  };
});

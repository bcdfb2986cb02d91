import { isAbsolute, join } from 'node:path';
import { readStoreName } from './cli/read-store-name.js';
import { refuseArguments } from './cli/refuse-arguments.js';
import { type DevConfig, loadDevConfig } from './config-dev.js';
import { onParentEnd } from './embedded/on-parent-end.js';
import { acquireInstanceLock } from './embedded/single-instance.js';
import type { StoreName } from './embedded/store-names.js';
import { ConfigError } from './errors.js';
import { listTypes } from './integrations/list-types.js';
import { createLog } from './log.js';
import { createReadableLines } from './readable-log.js';
import { runRole } from './run-role.js';
import { type Everything, startEverything } from './start-everything.js';
import { planShutdown } from './temporal/plan-shutdown.js';

/**
 * `npm start [-- --store postgres|mongo|documentdb]`: everything in one process tree, data under `.relink/`, bound to
 * loopback. Never for production.
 */
const wantedPorts = { relink: 3000, database: 5433, temporal: 7233, temporalUi: 8233, sandbox: 3001 };
const say = (line: string) => console.log(`relink  ${line}`);

const { dataDirectory: directory, relinkPort, logLevel, store } = readSettings();
const log = createLog(logLevel ?? 'info', 'relink', createReadableLines(say));

void runRole('relink', log, async isStopping => {
  const startedAt = Date.now();
  const lock = await acquireInstanceLock(directory);
  if (!lock.acquired) {
    say(`${lock.message} Stop it with Ctrl-C there, or set RELINK_DATA_DIRECTORY to run another one.`);
    process.exit(1);
  }
  const everything = await startEverything(
    {
      directory,
      toolsDirectory: join(directory, 'tools'),
      environment: process.env,
      store,
      ports: { ...wantedPorts, relink: relinkPort ?? wantedPorts.relink },
      onProgress: say,
    },
    log,
  );
  const { services, url } = everything;
  await lock.setAddress(url);
  const stopWatching = onParentEnd(() => process.kill(process.pid, 'SIGTERM'));

  const secretsFile = join(directory, 'secrets.json');
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const lines = [
    `Ready in ${seconds} s: ${services.relinkUrl}`,
    `API description: ${services.relinkUrl}/api/openapi.json`,
    `Integration types: ${listTypes(everything.core.integrations)}`,
    ...tellApiKey(everything, secretsFile),
    `  curl -H "Authorization: Bearer $KEY" -H "Relink-User: me" "${services.relinkUrl}/api/authorize?entityType=sandbox"`,
    'and open the url of the answer in a browser. Ctrl-C stops everything.',
  ];
  if (!isStopping()) lines.forEach(say);

  return {
    finished: everything.finished,
    longestStopMs: planShutdown(everything.core.config.refreshTimeoutMs).longestStopMs,
    stop: async () => {
      stopWatching();
      await everything.stop();
      await lock.release();
    },
  };
});

/** Where a key is that works: RELINK_API_KEYS of the user's own take the place of the made one. */
function tellApiKey({ core, services }: Everything, secretsFile: string): readonly string[] {
  if (core.config.apiKeys.some(key => key.secret.reveal() === services.secrets.apiKey)) {
    const path = isAbsolute(secretsFile) ? secretsFile : `./${secretsFile}`;
    return [`The API key is in ${secretsFile}. Try:`, `  KEY=$(node -p "require('${path}').apiKey")`];
  }
  return [
    `RELINK_API_KEYS is set: its keys are taken, and the made one in ${secretsFile} is not. Try:`,
    '  KEY=<one of them>',
  ];
}

/** Ends the process with a plain line where a setting is wrong. */
function readSettings(): DevConfig & { readonly store: StoreName } {
  try {
    const config = loadDevConfig(process.env);
    const { store, rest } = readStoreName(process.argv.slice(2));
    refuseArguments(rest);
    const isChosen = rest.length < process.argv.length - 2;
    if (isChosen && (process.env['DATABASE_URL'] ?? '') !== '') {
      throw new ConfigError(['--store chooses an embedded database, and DATABASE_URL is set: leave one of them out']);
    }
    return { ...config, store };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) process.stderr.write(`relink cannot start: ${problem}\n`);
    process.exit(1);
  }
}

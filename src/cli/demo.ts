import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DevConfig, loadDevConfig } from '../config-dev.js';
import { acquireInstanceLock } from '../embedded/single-instance.js';
import { clearEmbeddedDatabases } from '../embedded/start-embedded-database.js';
import type { StoreName } from '../embedded/store-names.js';
import { recoverOrphan } from '../embedded/temporal/recover-orphan.js';
import { ConfigError } from '../errors.js';
import { createLog } from '../log.js';
import { type Everything, startEverything } from '../start-everything.js';
import { credentialStories } from './demo/credential-stories.js';
import { listCompletedRuns } from './demo/list-completed-runs.js';
import { startReceiver } from './demo/receiver.js';
import { Stage } from './demo/stage.js';
import { stories } from './demo/stories.js';
import { SandboxControl } from './sandbox-control.js';
import { webhookStories } from './demo/webhook-stories.js';
import { readStoreName } from './read-store-name.js';
import { refuseArguments } from './refuse-arguments.js';
import { stopOnSignal, waitForSignal } from './stop-on-signal.js';

const say = (line: string) => console.log(line);

/** Of the one back end that plays; it may read tokens too. */
const apiKey = `rlk_${randomBytes(24).toString('base64url')}`;

/** Counts the lines an operator would be woken by; unless a level is set, the story is not interrupted by them. */
const errors = {
  lines: 0,
  write() {
    this.lines += 1;
  },
};

async function startEmpty(
  directory: string,
  { dataDirectory, temporalCli, logLevel }: DevConfig,
  store: StoreName,
): Promise<Everything> {
  const data = dataOf(directory);
  await mkdir(data, { recursive: true });
  await recoverOrphan(join(data, 'temporal.db'), say);
  await removeData(data);
  return startEverything(
    {
      directory: data,
      toolsDirectory: join(dataDirectory, 'tools'),
      // The waits between the repeats of a refused test call, shortened so that nobody has to sit through them.
      environment: {
        RELINK_TEST_GRACE_MS: '100,300,1000',
        RELINK_API_KEYS: `${apiKey} name=demo tokens:read`,
        ...(temporalCli === undefined ? {} : { RELINK_TEMPORAL_CLI: temporalCli }),
      },
      store,
      attioStandIn: true,
      ports: { relink: 3100, database: 5533, temporal: 7333, temporalUi: 8333, sandbox: 3101 },
      onProgress: line => say(`  ${line}`),
    },
    logLevel === undefined ? createLog('error', 'demo', errors) : createLog(logLevel, 'demo'),
  );
}

const dataOf = (directory: string) => join(directory, 'data');

async function removeData(data: string): Promise<void> {
  // PostgreSQL keeps its files elsewhere where its user cannot reach ours.
  await clearEmbeddedDatabases(data, say);
  await rm(data, { recursive: true, force: true });
}

/** @param letGo Called before Ctrl-C is waited for, which then ends the demo in its own way. */
async function play(everything: Everything, data: string, letGo: () => void): Promise<boolean> {
  const { core, services, url } = everything;
  const { forwardSecrets, providers } = core.config;
  const receiver = await startReceiver(forwardSecrets[0]?.reveal() ?? '');
  const stage = new Stage(
    {
      relinkUrl: url,
      apiKey,
      sandbox: new SandboxControl(services.sandboxUrl, services.secrets.sandboxControlKey),
      webhookSecret: providers['sandbox']?.webhookSecrets[0]?.reveal() ?? '',
      receiver,
      errorLines: () => errors.lines,
    },
    say,
  );
  const outcomes: Record<string, 'ok' | 'failed'> = {};
  for (const story of [...stories, ...webhookStories, ...credentialStories]) {
    say(`\n${story.title}`);
    try {
      await story.play(stage);
      outcomes[story.name] = 'ok';
    } catch (error) {
      outcomes[story.name] = 'failed';
      say(`    FAILED: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }
  const ok = Object.values(outcomes).every(outcome => outcome === 'ok');
  const workflows = await listCompletedRuns(core.client, ok ? 14 : 1);
  say(
    `\nConnections and reconnects as Temporal ran them (with "npm run demo -- --keep" to be looked at in its UI, ${services.temporalUiUrl ?? 'where there is one'}):`,
  );
  for (const workflow of workflows) say(`    ${workflow}`);
  if (process.argv.includes('--keep')) {
    say('\nEverything keeps running for you to look at. Ctrl-C ends it.');
    letGo();
    await waitForSignal();
  }
  await everything.stop();
  await receiver.close();
  if (ok) await removeData(data);
  say(`\n${ok ? 'Every story ended well.' : `A story failed; its data is left in ${data}.`} The same for programs:`);
  say(JSON.stringify({ demo: ok ? 'ok' : 'failed', steps: stage.steps, stories: outcomes, workflows }));
  return ok;
}

/**
 * `npm run demo [-- --store postgres|mongo|documentdb] [--keep]`: the incident as a story, on an embedded stack of its own
 * that begins empty. The last line is JSON; the exit code is 1 when any step failed.
 */
async function main(): Promise<void> {
  const config = loadDevConfig(process.env);
  const { store, rest } = readStoreName(process.argv.slice(2));
  refuseArguments(rest, ['--keep']);
  const directory = join(config.dataDirectory, 'demo');
  const lock = await acquireInstanceLock(directory);
  if (!lock.acquired) {
    say(lock.message);
    process.exit(1);
  }
  say('Starting an empty stack: the database, Temporal, the sandbox provider, Relink');
  const starting = startEmpty(directory, config, store);
  const letGo = stopOnSignal(() => starting.then(everything => everything.stop()));
  const ok = await play(await starting, dataOf(directory), letGo);
  await lock.release();
  process.exit(ok ? 0 : 1);
}

main().catch((error: unknown) => {
  const problems = error instanceof ConfigError ? error.problems : undefined;
  const why = error instanceof Error ? error.message : 'unknown error';
  for (const problem of problems ?? [why]) say(`The demo could not run: ${problem}`);
  process.exit(1);
});

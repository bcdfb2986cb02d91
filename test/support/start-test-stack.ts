import { randomBytes } from 'node:crypto';
import { createActivities } from '../../src/activities/create-activities.js';
import { composeHandlers } from '../../src/compose-handlers.js';
import { composeCore, type Core } from '../../src/compose.js';
import { handlerEntry } from './handler-entry.js';
import { loadConfig } from '../../src/config.js';
import { pickPort } from '../../src/embedded/pick-port.js';
import { sandboxSettings } from '../../src/embedded/start-backing-services.js';
import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { createLog } from '../../src/log.js';
import { type RunningServer, startServer } from '../../src/start-server.js';
import { loadTemporalSettings } from '../../src/temporal/connect-client.js';
import { installRuntime, type RunningWorker, startWorker } from '../../src/temporal/create-worker.js';
import { ApiClient } from '../../src/cli/api-client.js';
import { createTestDatabase } from './create-test-database.js';
import { loadWorkflowBundle } from './load-workflow-bundle.js';

export const adopterRedirect = 'http://127.0.0.1:9/adopter/callback';

export interface TestStack {
  readonly core: Core;
  /** What runs handlers, for activities that are run apart from a worker. */
  readonly hosts: ReturnType<typeof composeHandlers>;
  readonly sandbox: Sandbox;
  readonly databaseUrl: string;
  readonly logLines: string[];
  readonly taskQueue: string;
  user(name?: string): ApiClient;
  startWorker(): Promise<RunningWorker>;
  stop(): Promise<void>;
}

let installed = false;

/** Once per process, before its first worker: Temporal's own lines would drown the test's. */
function installTestRuntime(metricsAddress: string | undefined): void {
  if (installed) return;
  installed = true;
  installRuntime(createLog('silent', 'temporal'), metricsAddress);
}

/**
 * The whole service in this process, over the test run's PostgreSQL and Temporal and a sandbox provider of its own.
 * Every stack has its own database and task queue.
 */
export async function startTestStack(settings: Record<string, string> = {}): Promise<TestStack> {
  const database = await createTestDatabase();
  const port = await pickPort(undefined, 'test', () => undefined);
  const publicUrl = `http://127.0.0.1:${port}`;
  const sandbox = await startSandbox({
    clients: [
      {
        clientId: 'relink',
        clientSecret: 'sandbox-client-secret',
        redirectUris: [`${publicUrl}/api/oauth/callback/sandbox`, adopterRedirect],
      },
    ],
    quiet: true,
  });
  const taskQueue = `test-${randomBytes(6).toString('hex')}`;
  const apiKey = `rlk_${randomBytes(24).toString('hex')}`;
  const config = loadConfig({
    DATABASE_URL: database.url,
    RELINK_KEYS: `test:${randomBytes(32).toString('base64')}`,
    RELINK_API_KEYS: apiKey,
    RELINK_PUBLIC_URL: publicUrl,
    RELINK_PORT: String(port),
    RELINK_RETURN_URLS: 'https://app.example.com',
    RELINK_REDIRECT_URIS: adopterRedirect,
    RELINK_TASK_QUEUE: taskQueue,
    RELINK_TEST_GRACE_MS: '10,20,30',
    ...sandboxSettings(sandbox.url, 'relink', 'sandbox-client-secret'),
    ...settings,
  });
  const temporal = loadTemporalSettings({ TEMPORAL_ADDRESS: process.env['RELINK_TEST_TEMPORAL_ADDRESS'] });
  const logLines: string[] = [];
  const log = createLog('debug', 'test', { write: line => void logLines.push(line) });
  installTestRuntime(config.workerMetricsAddress);
  const core = await composeCore(config, temporal, log);
  const server: RunningServer = await startServer(core);
  const workers: RunningWorker[] = [];
  const hosts = composeHandlers(core, handlerEntry);
  return {
    core,
    hosts,
    sandbox,
    databaseUrl: database.url,
    logLines,
    taskQueue,
    user: (name = `user-${randomBytes(4).toString('hex')}`) => new ApiClient(server.url, apiKey, name),
    startWorker: async () => {
      const worker = await startWorker({
        temporal,
        taskQueue,
        activities: createActivities({ ...core, ...hosts, settings: config }),
        log,
        workflows: await loadWorkflowBundle(),
        maxConcurrentActivities: 10,
        maxConcurrentDeliveries: 20,
        refreshTimeoutMs: config.refreshTimeoutMs,
      });
      workers.push(worker);
      return worker;
    },
    stop: async () => {
      await Promise.all(workers.map(worker => worker.stop()));
      await server.stop();
      await hosts.handlers.close();
      await core.close();
      await sandbox.close();
      await database.drop();
    },
  };
}

import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Config } from './config.js';
import { createCredentialRefresher } from './credentials/create-credential-refresher.js';
import { createCredentialTester } from './credentials/create-credential-tester.js';
import { RunningWork } from './credentials/running-work.js';
import { loadIntegrations } from './integrations/load-integrations.js';
import type { Log } from './log.js';
import { closeProviderConnections } from './providers/guarded-dispatcher.js';
import { loadProviders } from './providers/load-providers.js';
import { openStore } from './store/open-store.js';
import { connectClient, type TemporalSettings } from './temporal/connect-client.js';
import { createWorkflowStarter } from './temporal/create-workflow-starter.js';
import { parseKeyRing } from './vault/parse-key-ring.js';
import { createVault } from './vault/vault.js';

/** What server and worker share, built from the settings. */
export async function composeCore(config: Config, temporal: TemporalSettings, log: Log) {
  const store = await openStore({ databaseUrl: config.databaseUrl.reveal(), poolSize: config.databasePool });
  const client: Client = connectClient(temporal);
  const workflows = createWorkflowStarter(client, config);
  const refreshes = new RunningWork();
  return {
    config,
    log,
    store,
    vault: createVault(parseKeyRing(config.keys)),
    providers: loadProviders(config.providers),
    integrations: loadIntegrations(config.integrations),
    client,
    workflows,
    refresher: createCredentialRefresher({ store, workflows }),
    tester: createCredentialTester(workflows, config.testGraceMs),
    /** The token requests of this process's worker. */
    refreshes,
    now: () => new Date(),
    /** Waits for what `refreshes` holds: its answers are nowhere else. */
    close: async () => {
      await refreshes.settled();
      await client.connection.close();
      await closeProviderConnections();
      await store.close();
    },
  };
}

export type Core = Awaited<ReturnType<typeof composeCore>>;

/** The prebuilt bundle beside the compiled code. */
export function defaultBundlePath(): string {
  return join(__dirname, 'workflow-bundle.js');
}

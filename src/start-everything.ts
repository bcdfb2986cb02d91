import { composeCore, type Core } from './compose.js';
import {
  type BackingServices,
  type BackingServicesOptions,
  startBackingServices,
} from './embedded/start-backing-services.js';
import { loadSettings } from './load-settings.js';
import type { Log } from './log.js';
import { startRelinkWorker } from './start-relink-worker.js';
import { startServer } from './start-server.js';
import { explainStoreError, migrateStore } from './store/open-store.js';
import { installRuntime } from './temporal/create-worker.js';
import { warnOfSettings } from './warn-of-settings.js';

export interface Everything {
  readonly core: Core;
  readonly services: BackingServices;
  /** Where Relink listens. */
  readonly url: string;
  /** Rejects when a part of it dies by itself. */
  readonly finished: Promise<void>;
  /** Stops in order: no new requests, running activities, connections, then the servers below. */
  stop(): Promise<void>;
}

/** Server, worker and everything they stand on in one process tree: `npm start` and the demo. */
export async function startEverything(options: BackingServicesOptions, log: Log): Promise<Everything> {
  const services = await startBackingServices(options);
  const stops: (() => Promise<void>)[] = [() => services.stop()];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    const { config, temporal } = loadSettings(services.environment);
    const databaseUrl = config.databaseUrl.reveal();
    const { applied } = await migrateStore(databaseUrl).catch(async (error: unknown) => {
      throw await explainStoreError(error, databaseUrl);
    });
    if (applied.length > 0) options.onProgress(`Database: applied ${applied.join(', ')}`);
    installRuntime(log, config.workerMetricsAddress);
    const core = await composeCore(config, temporal, log);
    warnOfSettings(core, services.environment);
    stops.push(() => core.close());
    const worker = await startRelinkWorker(core, temporal);
    stops.push(() => worker.stop());
    await services.releasePort();
    const server = await startServer(core);
    stops.push(() => server.stop());
    const finished = Promise.race([worker.finished, services.died]);
    finished.catch(() => undefined);
    return { core, services, url: server.url, finished, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

import type { HandlerServices } from './handler-host.js';
import type { Integration, Store } from '../store/port/store.js';
import type { Vault } from '../vault/vault.js';
import { createLivingConnections } from './living-connections.js';
import { createRefusalMemory } from './create-refusal-memory.js';
import type { Log } from '../log.js';
import { requestProvider, type ProviderRequestDependencies } from './request-provider.js';

/** What a running handler may ask for, in the name of its integration. */
export function createHandlerRequests(
  core: Omit<ProviderRequestDependencies, 'connections' | 'refusals' | 'now'> & {
    readonly store: Pick<Store, 'getEntity' | 'getCredential'>;
    readonly vault: Vault;
    readonly log: Log;
  },
) {
  const dependencies = {
    ...core,
    connections: createLivingConnections(core),
    refusals: createRefusalMemory(),
    now: Date.now,
  };
  return {
    servicesFor(integration: Integration, signal: AbortSignal): HandlerServices {
      const place = { integrationId: integration.id, type: integration.type };
      return {
        request: (wanted, clock) => requestProvider({ ...dependencies, clock }, integration, wanted, signal),
        log: {
          info: (message, fields) => dependencies.log.info({ ...place, handler: fields ?? {} }, message),
          warn: (message, fields) => dependencies.log.warn({ ...place, handler: fields ?? {} }, message),
        },
      };
    },
  };
}

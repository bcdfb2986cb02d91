import { resolve } from 'node:path';
import type { Core } from './compose.js';
import { createClientFaults } from './credentials/create-client-faults.js';
import { createProviderBreakers } from './credentials/provider-breakers.js';
import { createHandlerHost } from './handlers/create-handler-host.js';
import { createHandlerRequests } from './handlers/create-handler-requests.js';
import { createForwardHandler } from './handlers/forward-delivery.js';
import type { ThreadEntry } from './handlers/start-thread.js';

/**
 * What runs the adopter's handlers in a worker.
 *
 * @param entry The threads' program; the compiled one unless given.
 */
export function composeHandlers(
  core: Pick<Core, 'config' | 'store' | 'vault' | 'providers' | 'refresher' | 'tester' | 'log'>,
  entry?: ThreadEntry,
) {
  const { config } = core;
  return {
    breakers: createProviderBreakers(core.log),
    clientFaults: createClientFaults(),
    handlers: createHandlerHost({
      modulePath: config.integrations === undefined ? null : resolve(config.integrations),
      builtIn: new Map([
        [
          'forward',
          createForwardHandler({ secrets: config.forwardSecrets, allowLoopback: config.forwardAllowLoopback }),
        ],
      ]),
      threads: config.handlerThreads,
      memoryMb: config.handlerMemoryMb,
      entry,
    }),
    requests: createHandlerRequests(core),
  };
}

import type { HandlerCall, HandlerServices } from './handler-host.js';

/** A call with services of its own, which know whether a request of it found its credential dead. */
export interface WatchedCall extends HandlerCall {
  readonly services: HandlerServices;
  readonly credentialDied: () => boolean;
}

export function watchCredential(call: HandlerCall, services: HandlerServices): WatchedCall {
  let died = false;
  const watched: HandlerServices = {
    log: services.log,
    request: async wanted => {
      try {
        return await services.request(wanted);
      } catch (error) {
        if (error instanceof Error && Reflect.get(error, 'code') === 'credential_dead') died = true;
        throw error;
      }
    },
  };
  return { ...call, services: watched, credentialDied: () => died };
}

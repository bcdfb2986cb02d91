import { RelinkError } from '../errors.js';
import { HandlerClock } from './handler-clock.js';
import type { HandlerCall, HandlerServices } from './handler-host.js';

/** A call with services of its own, which know what its requests met: a dead credential, a provider that asks for time. */
export interface WatchedCall extends HandlerCall {
  readonly services: HandlerServices;
  readonly clock: HandlerClock;
  readonly credentialDied: () => boolean;
  /** How long its provider asked to be left alone, or its refresh will take; null when it met neither. Milliseconds. */
  readonly askedToWaitMs: () => number | null;
}

export function watchCredential(call: HandlerCall, services: HandlerServices): WatchedCall {
  const clock = new HandlerClock();
  let died = false;
  let waitMs: number | null = null;
  const watched: HandlerServices = {
    log: services.log,
    request: async wanted => {
      try {
        return await services.request(wanted, clock);
      } catch (error) {
        if (error instanceof RelinkError && error.code === 'credential_dead') died = true;
        if (error instanceof RelinkError) waitMs = error.retryAfterMs ?? waitMs;
        throw error;
      }
    },
  };
  return { ...call, clock, services: watched, credentialDied: () => died, askedToWaitMs: () => waitMs };
}

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
        if (error instanceof RelinkError && isHeldOver(error)) died = true;
        if (error instanceof RelinkError) waitMs = error.retryAfterMs ?? waitMs;
        throw error;
      }
    },
  };
  return { ...call, clock, services: watched, credentialDied: () => died, askedToWaitMs: () => waitMs };
}

/** Told as a cause of the integration, which holds its deliveries until it is gone. */
function isHeldOver({ code }: RelinkError): boolean {
  return code === 'credential_dead' || code === 'client_rejected';
}

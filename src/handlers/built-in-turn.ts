import type { HandlerAnswer, HandlerCall, HandlerServices } from './handler-host.js';
import type { CallEnd } from './open-calls.js';
import type { TimedCall } from './within-time.js';

/** A handler of Relink's own: it runs beside the service, without a thread. */
export type BuiltInHandler = (
  call: HandlerCall,
  services: HandlerServices,
  signal: AbortSignal,
) => Promise<HandlerAnswer>;

/** Runs calls of a built-in handler one after the other, as a thread does with the adopter's: see HandlerTurn. */
export function beginBuiltInTurn(
  handler: BuiltInHandler,
  calls: readonly (HandlerCall & { readonly services: HandlerServices })[],
  openUntil: number,
): readonly TimedCall[] {
  const own = new AbortController();
  const stop = () => own.abort();
  let before: Promise<CallEnd> | undefined;
  return calls.map(call => {
    const previous = before;
    const run = async (): Promise<CallEnd> => {
      if (previous !== undefined) {
        const answer = await previous;
        if (answer?.kind !== 'done' || own.signal.aborted || Date.now() > openUntil) return null;
      }
      return await handler(call, call.services, own.signal).catch(
        (): HandlerAnswer => ({
          kind: 'failed',
          reason: 'handler_failed',
          detail: 'the built-in handler failed',
          retryable: true,
          retryAfterMs: null,
        }),
      );
    };
    const ended = run();
    before = ended;
    return { started: previous ?? Promise.resolve(), ended, abort: stop, giveUp: stop };
  });
}

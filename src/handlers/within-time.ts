import type { HandlerClock } from './handler-clock.js';
import type { HandlerAnswer } from './handler-host.js';
import type { CallEnd } from './open-calls.js';

/** How long a handler may take to end after it was told to, before its answer is given without it. Milliseconds. */
const graceMs = 250;

export interface TimedCall {
  /** Its time counts from here, or from the call of `withinTime` when that is later. */
  readonly started: Promise<unknown>;
  readonly ended: Promise<CallEnd>;
  readonly abort: () => void;
  /** Called when its answer is given without it. */
  readonly giveUp: () => void;
}

/**
 * The answer, or `handler_timed_out` once its time and a little grace after the abort are up. A handler that fails on
 * its abort, or dies by it, has run out of time, whatever it says; one that still got done has done its work.
 */
export async function withinTime(
  { started, ended, abort, giveUp }: TimedCall,
  timeoutMs: number,
  signal: AbortSignal,
  clock: HandlerClock,
): Promise<CallEnd> {
  let timer: NodeJS.Timeout | undefined;
  let detail: string | null = null;
  let isOver = false;
  const late = (): HandlerAnswer => {
    return { kind: 'failed', reason: 'handler_timed_out', detail, retryable: true, retryAfterMs: null };
  };
  let onGrace = (): void => undefined;
  const graceOver = new Promise<'late'>(resolve => (onGrace = () => resolve('late')));
  const stop = (why: string) => {
    if (detail !== null) return;
    detail = why;
    clock.stop();
    timer = setTimeout(onGrace, graceMs);
    abort();
  };
  const onAbort = () => stop('the worker stopped');
  void started.then(() => {
    if (isOver || detail !== null) return;
    clock.start(timeoutMs, () => stop(`took longer than ${timeoutMs} ms`));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const answer = await Promise.race([ended, graceOver]);
    if (answer === 'late') {
      giveUp();
      return late();
    }
    return detail === null || answer === null || answer.kind === 'done' ? answer : late();
  } finally {
    isOver = true;
    clock.stop();
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

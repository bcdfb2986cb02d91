import type { HandlerAnswer } from './handler-host.js';

/** How long a handler may take to end after it was told to, before its answer is given without it. Milliseconds. */
const graceMs = 250;

export interface TimedCall {
  /** Its time counts from here. */
  readonly started: Promise<void>;
  readonly ended: Promise<HandlerAnswer>;
  readonly abort: () => void;
  readonly timeoutMs: number;
}

/**
 * The answer, or `handler_timed_out` once its time and a little grace after the abort are up. A handler that fails on
 * its abort, or dies by it, has run out of time, whatever it says; one that still got done has done its work.
 */
export async function withinTime(
  { started, ended, abort, timeoutMs }: TimedCall,
  signal: AbortSignal,
): Promise<{ readonly answer: HandlerAnswer; readonly gaveUp: boolean }> {
  const late = { kind: 'failed', reason: 'handler_timed_out', retryable: true, retryAfterMs: null } as const;
  let timer: NodeJS.Timeout | undefined;
  let detail: string | null = null;
  let isOver = false;
  let giveUp = (): void => undefined;
  const gaveUp = new Promise<null>(resolve => (giveUp = () => resolve(null)));
  const stop = (why: string) => {
    if (detail !== null) return;
    detail = why;
    clearTimeout(timer);
    timer = setTimeout(giveUp, graceMs);
    abort();
  };
  const onAbort = () => stop('the worker stopped');
  void started.then(() => {
    if (isOver || detail !== null) return;
    timer = setTimeout(() => stop(`took longer than ${timeoutMs} ms`), timeoutMs);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const answer = await Promise.race([ended, gaveUp]);
    if (answer === null) return { answer: { ...late, detail }, gaveUp: true };
    const isLate = detail !== null && answer.kind !== 'done';
    return { answer: isLate ? { ...late, detail } : answer, gaveUp: false };
  } finally {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

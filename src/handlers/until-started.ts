import type { HandlerThread } from './handler-thread-slot.js';

/** Until the thread's module is loaded, or the thread is dead. Rejects with the signal's reason when that comes first. */
export async function untilStarted(
  { started, hasLoaded }: Pick<HandlerThread, 'started' | 'hasLoaded'>,
  signal: AbortSignal,
): Promise<void> {
  if (hasLoaded) return;
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<void>(resolve => (onAbort = resolve));
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([started, aborted]);
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
}

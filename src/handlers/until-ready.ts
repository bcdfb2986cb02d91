import type { HandlerThread } from './handler-thread-slot.js';

/** Until the thread can begin a call at once, or is dead. Rejects with the signal's reason when that comes first. */
export async function untilReady(
  thread: Pick<HandlerThread, 'isReady' | 'untilReady'>,
  signal: AbortSignal,
): Promise<void> {
  if (thread.isReady) return;
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<void>(resolve => (onAbort = resolve));
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([thread.untilReady(), aborted]);
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
}

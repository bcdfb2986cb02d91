const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends the process with exit code 130 at the first Ctrl-C, once `stop` is done. npm and the terminal deliver one of them two
 * or three times at once: the others are not to end it on the way, with servers left behind.
 *
 * @returns What lets go of the signals, for a part of a program that is over.
 */
export function stopOnSignal(stop: () => Promise<unknown>): () => void {
  return listen(() => void stop().finally(() => process.exit(130)));
}

/** Resolves at the first Ctrl-C; what comes after it is ignored. */
export function waitForSignal(): Promise<void> {
  return new Promise(resolve => void listen(resolve));
}

function listen(onSignal: () => void): () => void {
  let isOver = false;
  const listener = () => {
    if (isOver) return;
    isOver = true;
    onSignal();
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

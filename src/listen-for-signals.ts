/** npm and the terminal deliver one Ctrl-C two or three times at once; only a later signal is a second one. */
const repeatedSignalMs = 1_000;

/**
 * Tells the signals that mean "stop" from one another: `onFirst` hears of the first of them, `onAgain` of each that was
 * sent a second later or more, by somebody who does not want to wait.
 *
 * @returns What lets go of the signals.
 */
export function listenForSignals(
  signals: readonly NodeJS.Signals[],
  onFirst: (signal: NodeJS.Signals) => void,
  onAgain: (signal: NodeJS.Signals) => void,
): () => void {
  let signalledAt: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (signalledAt === undefined) {
      signalledAt = Date.now();
      onFirst(signal);
    } else if (Date.now() - signalledAt > repeatedSignalMs) onAgain(signal);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

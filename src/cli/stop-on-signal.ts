import { listenForSignals } from '../listen-for-signals.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const endAtOnce = () => process.exit(130);

/**
 * Ends the process with exit code 130 at the first Ctrl-C, once `stop` is done, and at a second one at once.
 *
 * @returns What lets go of the signals, for a part of a program that is over.
 */
export function stopOnSignal(stop: () => Promise<unknown>): () => void {
  return listenForSignals(signals, () => void stop().finally(() => process.exit(130)), endAtOnce);
}

/** Resolves at the first Ctrl-C; a second one ends the process at once. */
export function waitForSignal(): Promise<void> {
  return new Promise(resolve => void listenForSignals(signals, () => resolve(), endAtOnce));
}

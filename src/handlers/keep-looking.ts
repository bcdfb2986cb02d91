import { lookEveryMs, watchThread, type WatchOptions } from './watch-thread.js';

/** So many looks are left out after each one while nothing runs in the thread. */
const restedLooks = 4;

export interface Lookout {
  /** The thread has answered a ping. */
  hear(usedBytes: number): void;
  /** Nothing runs in the thread any more: the moment to end it at nobody's cost. */
  noteIdle(): void;
  /** Resolves once the thread's event loop has answered, or the looking has stopped. */
  untilAwake(): Promise<void>;
  stop(): void;
}

export interface LookoutOptions extends Omit<WatchOptions, 'residentBytes'> {
  readonly isIdle: () => boolean;
  /** Why the thread has to be ended. */
  readonly onProblem: (why: string) => void;
}

/**
 * Looks at a loaded thread until it is stopped, also between its calls: what handlers keep adds up over calls that are
 * each too short to be seen, and what they left behind may go on when they have returned. Keeps no process alive.
 */
export function keepLooking({ memoryMb, ping, isIdle, onProblem }: LookoutOptions): Lookout {
  const watch = watchThread({ memoryMb, ping, residentBytes: () => process.memoryUsage.rss() });
  const waiting: (() => void)[] = [];
  let rested = 0;

  const tell = (problem: string | null) => {
    if (problem !== null) onProblem(problem);
  };
  const timer = setInterval(() => {
    rested += 1;
    if (isIdle() && !watch.isAsking && rested <= restedLooks) return;
    rested = 0;
    tell(watch.look());
  }, lookEveryMs).unref();
  const wakeAll = () => {
    for (const wake of waiting.splice(0)) wake();
  };

  return {
    hear(usedBytes) {
      watch.hear(usedBytes);
      if (isIdle()) tell(watch.overLimit());
      wakeAll();
    },
    noteIdle: () => tell(watch.overLimit()),
    untilAwake: () =>
      new Promise(resolve => {
        waiting.push(resolve);
        watch.ask();
      }),
    stop() {
      clearInterval(timer);
      wakeAll();
    },
  };
}

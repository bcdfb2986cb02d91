import { setFlagsFromString } from 'node:v8';

/** How often a thread with work in it is looked at. Milliseconds. */
export const lookEveryMs = 100;
/**
 * Looks without an answer after which an event loop counts as blocked by something that does not end by being asked.
 * Looks are counted, not time: a host that was busy itself must not blame the thread.
 */
const deafAfterLooks = 20;

export interface ThreadWatch {
  /** A ping waits for its answer. */
  readonly isAsking: boolean;
  /** One look. Says why the thread has to be ended, or null. */
  look(): string | null;
  /** The same by what it last said of its memory alone. */
  overLimit(): string | null;
  /** Pings it unless a ping waits already. */
  ask(): void;
  /** The thread has answered a ping. */
  hear(usedBytes: number): void;
}

export interface WatchOptions {
  readonly memoryMb: number;
  readonly ping: () => void;
  readonly residentBytes: () => number;
}

const mebibyte = 1024 * 1024;

/**
 * Bounds the memory and the deafness of one thread from outside.
 *
 * V8's own limit cannot do it alone: a single big allocation past that limit (a growing Map, an array of millions) ends
 * the whole process and not the thread, and buffers lie outside the heap. So that limit is set far higher, and the one
 * that counts is kept here: by the thread's own figures while it answers; while it does not, by what the process has
 * grown since it last did. The latter is generous, because garbage counts as well until it is collected.
 */
export function watchThread({ memoryMb, ping, residentBytes }: WatchOptions): ThreadWatch {
  const ownLimit = memoryMb * mebibyte;
  const growthLimit = (2 * memoryMb + 64) * mebibyte;
  let unanswered = 0;
  let isAsking = false;
  let used = 0;
  let residentThen = 0;
  let readAt = 0;
  // A thread answers thousands of times a second, and this is read from a file of the system.
  const noteResident = () => {
    if (Date.now() - readAt < lookEveryMs) return;
    residentThen = residentBytes();
    readAt = Date.now();
  };
  noteResident();
  const ask = () => {
    if (!isAsking) ping();
    isAsking = true;
  };
  const tooMuch = `it used more than ${memoryMb} MB`;
  return {
    get isAsking() {
      return isAsking;
    },
    ask,
    overLimit: () => (used > ownLimit ? tooMuch : null),
    look() {
      if (used > ownLimit) return tooMuch;
      if (unanswered > 0 && residentBytes() - residentThen > growthLimit) return tooMuch;
      if (unanswered >= deafAfterLooks) return 'its event loop was blocked';
      ask();
      unanswered += 1;
      return null;
    },
    hear(usedBytes) {
      used = usedBytes;
      unanswered = 0;
      isAsking = false;
      noteResident();
    },
  };
}

/**
 * Lets threads that are started from now on have a heap limit of their own. `--max-old-space-size`, which the process
 * runs with, would override it in every thread; the limits of what runs already stay as they are.
 */
export function freeHeapLimits(): void {
  setFlagsFromString('--max-old-space-size=0');
}

/**
 * V8's limit for a thread that is bounded to `memoryMb` by its watch: high enough that one doubling of whatever is being
 * filled stays below it.
 */
export function heapCeilingMb(memoryMb: number): number {
  return 4 * memoryMb + 1024;
}

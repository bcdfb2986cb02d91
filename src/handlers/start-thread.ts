import { Worker } from 'node:worker_threads';
import type { ThreadData } from './thread-messages.js';
import { freeHeapLimits, heapCeilingMb } from './watch-thread.js';

export interface ThreadEntry {
  readonly path: string;
  readonly argv: readonly string[];
}

export interface ThreadSettings {
  readonly entry: ThreadEntry;
  readonly modulePath: string;
  readonly memoryMb: number;
}

/** A thread with a heap of its own and none of the service's settings; what it prints is no log of ours. */
export function startThread({ entry, modulePath, memoryMb }: ThreadSettings): Worker {
  const data: ThreadData = { modulePath, memoryBytes: memoryMb * 1024 * 1024 };
  freeHeapLimits();
  const worker = new Worker(entry.path, {
    argv: [...entry.argv],
    workerData: data,
    // Whatever the process's flags say.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapCeilingMb(memoryMb), maxYoungGenerationSizeMb: 8 },
    env: {},
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { storeSnapshotSchema, type StoreSnapshot } from './grant-store.js';

/** Reads what the sandbox knew before. No file, a torn file or one of another shape: it starts empty. */
export function readStateFile(path: string): StoreSnapshot | undefined {
  try {
    return storeSnapshotSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

export interface StateWriter {
  /** Notes that there is something to write; writes follow each other by `delayMs` at the least. */
  touch(): void;
  /** Writes now what is still unwritten. */
  flush(): void;
}

/**
 * Keeps a snapshot in a file of mode 0600, replaced by rename so that a reader never sees half of one. A process
 * killed outright loses the last `delayMs` of changes.
 */
export function createStateWriter(
  path: string,
  snapshot: () => StoreSnapshot,
  onError: (error: unknown) => void,
  delayMs = 250,
): StateWriter {
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    try {
      mkdirSync(dirname(path), { recursive: true });
      const draft = `${path}.tmp`;
      writeFileSync(draft, JSON.stringify(snapshot()), { mode: 0o600 });
      renameSync(draft, path);
    } catch (error) {
      // A full disk costs the memory of a restart, not the sandbox.
      onError(error);
    }
  };
  const touch = (): void => {
    timer ??= setTimeout(flush, delayMs).unref();
  };
  return { touch, flush };
}

import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { relocatedDirectory } from './choose-location.js';
import { recoverPostmaster } from './recover-postmaster.js';

/** Stops what still runs on the data of `dataDirectory` and deletes it, wherever it was placed. */
export async function removeEmbeddedPostgres(dataDirectory: string, onProgress: (line: string) => void): Promise<void> {
  const directory = await realpath(dataDirectory).catch(() => undefined);
  if (directory === undefined) return;
  for (const parent of [directory, ...(process.getuid?.() === 0 ? [relocatedDirectory(directory)] : [])]) {
    await recoverPostmaster(join(parent, 'data'), onProgress);
    await rm(parent, { recursive: true, force: true });
  }
}

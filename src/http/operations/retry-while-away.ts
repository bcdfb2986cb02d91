import { setTimeout as sleep } from 'node:timers/promises';
import { RelinkError } from '../../errors.js';

/**
 * Repeats a write while the database is away. Only for writes that say by their result whether they held: one that was
 * committed although its answer got lost is repeated too.
 *
 * @param patienceMs No try begins later than this after the first.
 * @throws What the last try threw.
 */
export async function retryWhileAway<Result>(write: () => Promise<Result>, patienceMs: number): Promise<Result> {
  const giveUpAt = Date.now() + patienceMs;
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 500)) {
    try {
      return await write();
    } catch (error) {
      const passing =
        error instanceof RelinkError && (error.code === 'database_unavailable' || error.code === 'write_conflict');
      if (!passing || Date.now() + waitMs > giveUpAt) throw error;
      await sleep(waitMs);
    }
  }
}

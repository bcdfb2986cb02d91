import { setTimeout as sleep } from 'node:timers/promises';
import type { IntegrationId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';

/** The two calls of the store port that a change makes. */
export interface SubscriptionRows<Row, Write> {
  getSubscription(id: IntegrationId): Promise<Row | null>;
  compareAndSetSubscription(id: IntegrationId, version: number, write: Write): Promise<Row | null>;
}

const maxTries = 20;

/**
 * Reads the row (null: there is none) and writes what `change` makes of it while it is still the one that was read; else
 * starts over. A provider's handshake comes while the hook that asked for it still runs, so both write at once and
 * neither may overwrite the other's part. `change` may run several times; null: nothing is to be written.
 *
 * @returns The row as written; null when nothing was.
 * @throws RelinkError `write_conflict` when other writers were faster 20 times in a row.
 */
export async function changeSubscription<Row extends { readonly version: number }, Write>(
  store: SubscriptionRows<Row, Write>,
  id: IntegrationId,
  change: (known: Row | null) => Write | null,
): Promise<Row | null> {
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const known = await store.getSubscription(id);
    const write = change(known);
    if (write === null) return null;
    const written = await store.compareAndSetSubscription(id, known?.version ?? 0, write);
    if (written !== null) return written;
    await sleep(Math.random() * 5 * tries);
  }
  throw new RelinkError('write_conflict', id);
}

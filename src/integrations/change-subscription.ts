import { setTimeout as sleep } from 'node:timers/promises';
import type { IntegrationId } from '../domain/ids.js';
import type { IntegrationStatus } from '../domain/status.js';
import { RelinkError } from '../errors.js';

/** The calls of the store port that a change makes. */
export interface SubscriptionRows<Row, Write> {
  getIntegration(id: IntegrationId): Promise<{ readonly status: IntegrationStatus } | null>;
  deleteSubscription(id: IntegrationId): Promise<void>;
  getSubscription(id: IntegrationId): Promise<Row | null>;
  compareAndSetSubscription(id: IntegrationId, version: number, write: Write): Promise<Row | null>;
}

const maxTries = 20;

/**
 * Reads the row (null: there is none) and writes what `change` makes of it while it is still the one that was read; else
 * starts over. A provider's handshake comes while the hook that asked for it still runs, so both write at once and
 * neither may overwrite the other's part. `change` may run several times; null: nothing is to be written.
 *
 * The integration is looked at after the write, and its deletion marks it before it removes the row: one of the two sees
 * the other, so that no secret of an integration that is gone stays.
 *
 * @returns The row as written; null when nothing was, or its integration is gone.
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
    if (written !== null) {
      const integration = await store.getIntegration(id);
      if (integration !== null && integration.status !== 'IN_DELETION') return written;
      await store.deleteSubscription(id);
      return null;
    }
    await sleep(Math.random() * 5 * tries);
  }
  throw new RelinkError('write_conflict', id);
}

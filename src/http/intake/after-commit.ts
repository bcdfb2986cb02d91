import { discardReason } from '../../domain/delivery.js';
import { RelinkError } from '../../errors.js';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import type { IntegrationGateRow, Store } from '../../store/port/store.js';
import { Room } from './room.js';
import type { Waker } from './waker.js';

/** What one read of gates asks for at most, by the store's bound, and how many are on their way at once. */
const largestRead = 500;
const readsInFlight = 2;
/** They are stored: one that is refused here is known when its provider comes again, and the sweep looks at it. */
const mostWaiting = { count: 10_000, bytes: Infinity };

interface Waiting {
  readonly id: DeliveryId;
  readonly resolve: (outcome: 'kept' | 'discarded') => void;
  readonly reject: (error: unknown) => void;
}

interface AfterCommitDependencies {
  readonly store: Pick<Store, 'readIntegrationGates' | 'discardDeliveries'>;
  readonly integrations: IntegrationCatalogue;
  readonly waker: Waker;
  readonly now: () => Date;
}

/**
 * Looks at the gates of what was just committed, on the primary: wakes, leaves it held, or discards it. Those who ask
 * while two reads are on their way share the next one, which begins after they asked and so after their commits. One
 * discard for each integration. Where the database was out of reach, all that wait fail with those who asked.
 */
export class AfterCommit {
  private readonly waiting = new Map<IntegrationId, Waiting[]>();
  private inFlight = 0;
  private planned = false;
  private readonly room = new Room(mostWaiting);

  constructor(private readonly dependencies: AfterCommitDependencies) {}

  /** @throws RelinkError `database_unavailable` also when too many wait already. */
  async settle(integrationId: IntegrationId, id: DeliveryId): Promise<'kept' | 'discarded'> {
    const leave = this.room.enter(0);
    try {
      return await new Promise((resolve, reject) => {
        const others = this.waiting.get(integrationId);
        if (others === undefined) this.waiting.set(integrationId, [{ id, resolve, reject }]);
        else others.push({ id, resolve, reject });
        this.plan();
      });
    } finally {
      leave();
    }
  }

  /** At the end of this turn of the event loop, so that all of one commit go together. */
  private plan(): void {
    if (this.planned || this.inFlight >= readsInFlight || this.waiting.size === 0) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      void this.read();
      this.plan();
    });
  }

  private async read(): Promise<void> {
    const asked = [...this.waiting].slice(0, largestRead);
    if (asked.length === 0) return;
    for (const [id] of asked) this.waiting.delete(id);
    this.inFlight += 1;
    try {
      const rows = await this.dependencies.store.readIntegrationGates(asked.map(([id]) => id));
      const byId = new Map(rows.map(row => [row.id, row]));
      for (const [id, waiting] of asked) void this.decide(id, waiting, byId.get(id) ?? null);
    } catch (error) {
      const failed = [...asked];
      if (error instanceof RelinkError && error.code === 'database_unavailable') {
        failed.push(...this.waiting);
        this.waiting.clear();
      }
      for (const [, waiting] of failed) for (const { reject } of waiting) reject(error);
    } finally {
      this.inFlight -= 1;
      this.plan();
    }
  }

  private async decide(
    integrationId: IntegrationId,
    waiting: readonly Waiting[],
    row: IntegrationGateRow | null,
  ): Promise<void> {
    const { store, integrations, waker, now } = this.dependencies;
    const gate = gateOf(integrations, row);
    if (gate === 'process') waker.wake(integrationId);
    try {
      const ids = waiting.map(({ id }) => id);
      const discards = gate === 'discard';
      if (discards) await store.discardDeliveries(integrationId, { ids }, discardReason(row?.status ?? null), now());
      for (const { resolve } of waiting) resolve(discards ? 'discarded' : 'kept');
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}

import { discardReason } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationCatalogue } from '../../integrations/load-integrations.js';
import type { IntegrationGateRow, Store } from '../../store/port/store.js';
import { GroupedReads } from './grouped-reads.js';
import { Room } from './room.js';
import type { Waker } from './waker.js';

/** What one read of gates asks for at most, by the store's bound. */
const largestRead = 500;
/** They are stored: one that is refused here is known when its provider comes again, and the sweep looks at it. */
const mostWaiting = { count: 10_000, bytes: Infinity };

type Settled = 'kept' | 'discarded';

interface AfterCommitDependencies {
  readonly store: Pick<Store, 'readIntegrationGates' | 'discardDeliveries'>;
  readonly integrations: IntegrationCatalogue;
  readonly waker: Waker;
  readonly now: () => Date;
}

/**
 * Looks at the gates of what was just committed, on the primary: wakes, leaves it held, or discards it. The read begins
 * after they asked and so after their commits. Those of one integration that share its read share the decision: one
 * wake, or one discard.
 */
export class AfterCommit {
  private readonly gates: GroupedReads<IntegrationId, IntegrationGateRow>;
  /** What waits for a read, by that read. */
  private readonly groups = new Map<
    Promise<unknown>,
    { readonly ids: DeliveryId[]; readonly settled: Promise<Settled> }
  >();
  private readonly room = new Room(mostWaiting);

  constructor(private readonly dependencies: AfterCommitDependencies) {
    this.gates = new GroupedReads(async ids => {
      const rows = await dependencies.store.readIntegrationGates(ids);
      return new Map(rows.map(row => [row.id, row]));
    }, largestRead);
  }

  /** @throws RelinkError `database_unavailable` also when too many wait already. */
  async settle(integrationId: IntegrationId, id: DeliveryId): Promise<Settled> {
    const leave = this.room.enter(0);
    try {
      return await this.join(integrationId, id);
    } finally {
      leave();
    }
  }

  private join(integrationId: IntegrationId, id: DeliveryId): Promise<Settled> {
    const reading = this.gates.read(integrationId);
    const known = this.groups.get(reading);
    if (known !== undefined) {
      known.ids.push(id);
      return known.settled;
    }
    const ids = [id];
    const settled = reading
      .finally(() => this.groups.delete(reading))
      .then(row => this.decide(integrationId, ids, row));
    this.groups.set(reading, { ids, settled });
    return settled;
  }

  private async decide(
    integrationId: IntegrationId,
    ids: readonly DeliveryId[],
    row: IntegrationGateRow | null,
  ): Promise<Settled> {
    const { store, integrations, waker, now } = this.dependencies;
    const gate = gateOf(integrations, row);
    if (gate === 'process') waker.wake(integrationId);
    if (gate !== 'discard') return 'kept';
    await store.discardDeliveries(integrationId, { ids }, discardReason(row?.status ?? null), now());
    return 'discarded';
  }
}

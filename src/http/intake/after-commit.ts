import { discardReason } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId, ProviderId } from '../../domain/ids.js';
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

/** How long those of the integrations that hold are gathered for one look. Milliseconds. */
const gatherMs = 50;
/** By the store's bound on what is discarded at once. */
const mostGathered = 1_000;

type Settled = 'kept' | 'discarded';

interface Held {
  readonly id: DeliveryId;
  readonly provider: ProviderId;
  readonly receivedAt: Date;
}

interface AfterCommitDependencies {
  readonly store: Pick<Store, 'readIntegrationGates' | 'discardDeliveries'>;
  readonly integrations: IntegrationCatalogue;
  readonly waker: Waker;
  readonly now: () => Date;
  /** Hears of those that `settleSoon` discarded. */
  readonly onDiscarded: (provider: ProviderId) => void;
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
  private readonly gathered = new Map<IntegrationId, Held[]>();
  /** One for all integrations, so that they share a read too. */
  private timer: NodeJS.Timeout | undefined;
  private readonly looks = new Set<Promise<void>>();

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

  /**
   * For what was stored while its integration held, a moment ago: nobody waits for this look, which many share, so that
   * a dead connection costs no more than a living one. It wakes where a release came between. Where a pause did, those
   * that were received before it stay held, as they would have without this look.
   *
   * A look that fails is the sweep's to make up for, as it is when this process ends.
   */
  settleSoon(integrationId: IntegrationId, held: Held): void {
    this.timer ??= setTimeout(() => this.lookAtAll(), gatherMs).unref();
    const known = this.gathered.get(integrationId);
    if (known === undefined) this.gathered.set(integrationId, [held]);
    else if (known.push(held) >= mostGathered) this.look(integrationId);
  }

  /** Looks at what is gathered, and waits for looks under way. */
  async close(): Promise<void> {
    this.lookAtAll();
    await Promise.all(this.looks);
  }

  private lookAtAll(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const id of [...this.gathered.keys()]) this.look(id);
  }

  private look(integrationId: IntegrationId): void {
    const gathered = this.gathered.get(integrationId);
    if (gathered === undefined) return;
    this.gathered.delete(integrationId);
    const look: Promise<void> = this.gates
      .read(integrationId)
      .then(async row => {
        const late = gathered.filter(({ receivedAt }) => row === null || receivedAt >= row.statusSince);
        const ids = late.map(({ id }) => id);
        if ((await this.decide(integrationId, ids, row)) !== 'discarded') return;
        for (const { provider } of late) this.dependencies.onDiscarded(provider);
      })
      .catch(() => undefined)
      .finally(() => this.looks.delete(look));
    this.looks.add(look);
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
    if (gate !== 'discard' || ids.length === 0) return 'kept';
    await store.discardDeliveries(integrationId, { ids }, discardReason(row?.status ?? null), now());
    return 'discarded';
  }
}

import type { IntegrationId } from '../../domain/ids.js';
import type { DeliveryStore } from '../../store/port/store.js';

const lookEveryMs = 25;

interface Waiter {
  readonly id: IntegrationId;
  readonly order: 'arrival' | 'none';
  readonly resolve: (due: boolean) => void;
}

/**
 * Where idle consumers of one worker wait for their next delivery: one query every 25 ms for all of them together,
 * however many they are, and none while nobody waits. A look that fails counts as "nothing yet".
 */
export class DueWatcher {
  private readonly waiters = new Set<Waiter>();
  private looking: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: Pick<DeliveryStore, 'findDueIntegrations'>,
    private readonly now: () => Date,
  ) {}

  /** True when something is due; false when `waitMs` passed or the signal came first. */
  wait(id: IntegrationId, order: 'arrival' | 'none', waitMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const end = (due: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.waiters.delete(waiter);
        resolve(due);
      };
      const waiter: Waiter = { id, order, resolve: end };
      const onAbort = () => end(false);
      const timer = setTimeout(() => end(false), waitMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiters.add(waiter);
      if (signal.aborted) onAbort();
      else this.plan();
    });
  }

  private plan(): void {
    this.looking ??= setTimeout(() => void this.look(), lookEveryMs);
  }

  private async look(): Promise<void> {
    const asked = [...this.waiters];
    if (asked.length > 0) {
      const idsOf = (waiters: readonly Waiter[]) => [...new Set(waiters.map(waiter => waiter.id))];
      const byArrival = idsOf(asked.filter(waiter => waiter.order === 'arrival'));
      const due = await this.findDue(idsOf(asked), byArrival);
      const found = new Set(due);
      for (const waiter of asked) if (found.has(waiter.id)) waiter.resolve(true);
    }
    this.looking = undefined;
    if (this.waiters.size > 0) this.plan();
  }
  private async findDue(
    ids: readonly IntegrationId[],
    byArrival: readonly IntegrationId[],
  ): Promise<readonly IntegrationId[]> {
    try {
      return await this.store.findDueIntegrations(ids, this.now(), byArrival);
    } catch {
      return [];
    }
  }
}

import { RelinkError } from '../../errors.js';
import type { DeliveryStore, InsertedDelivery, NewDelivery } from '../../store/port/store.js';

/** What one commit holds at most, and how many are on their way at once. */
const largestCommit = 200;
const commitsInFlight = 3;
/** Two commits that hold the same keys in another order may block each other: the one that has to give way tries again. */
const conflictTries = 3;

interface Waiting {
  readonly delivery: NewDelivery;
  readonly resolve: (outcome: InsertedDelivery) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Arrivals at the same time share a commit: what comes while three are on their way goes together into the next one.
 * Nobody waits for a crowd to gather; an arrival that finds a free slot is on its way at the end of this turn of the
 * event loop. Each waiter learns its own outcome, and only after the commit; all of a failed commit fail.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private inFlight = 0;
  private planned = false;

  constructor(
    private readonly store: Pick<DeliveryStore, 'insertDeliveries'>,
    private readonly onCommit: (rows: number) => void,
  ) {}

  add(delivery: NewDelivery): Promise<InsertedDelivery> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ delivery, resolve, reject });
      this.plan();
    });
  }

  private plan(): void {
    if (this.planned || this.inFlight >= commitsInFlight || this.waiting.length === 0) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      void this.commit();
      this.plan();
    });
  }

  private async commit(): Promise<void> {
    const batch = this.waiting.splice(0, largestCommit);
    if (batch.length === 0) return;
    this.inFlight += 1;
    try {
      const outcomes = await this.insert(batch.map(({ delivery }) => delivery));
      this.onCommit(batch.length);
      batch.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined) reject(new Error('the store left out an outcome'));
        else resolve(outcome);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight -= 1;
      this.plan();
    }
  }

  private async insert(deliveries: readonly NewDelivery[]): Promise<readonly InsertedDelivery[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.store.insertDeliveries(deliveries);
      } catch (error) {
        const isConflict = error instanceof RelinkError && error.code === 'write_conflict';
        if (!isConflict || attempt === conflictTries) throw error;
      }
    }
  }
}

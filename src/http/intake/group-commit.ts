import { RelinkError } from '../../errors.js';
import type { DeliveryStore, InsertedDelivery, NewDelivery } from '../../store/port/store.js';
import { countFitting, Room } from './room.js';

const megabyte = 1_048_576;
/** What one commit holds at most, and how many are on their way at once. */
const largestCommit = { count: 200, bytes: 4 * megabyte };
const commitsInFlight = 3;
/** What may wait or be on its way: a second's worth of a busy process, sealed, which takes a third more than it was. */
const mostWaiting = { count: 10_000, bytes: 48 * megabyte };
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
 * event loop. Each waiter learns its own outcome, and only after the commit; all of a failed commit fail. Where the
 * database was out of reach, all that wait behind it fail with it: their own commits would end no better, one timeout
 * after the other, while the providers wait for an answer.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private inFlight = 0;
  private planned = false;
  private readonly room = new Room(mostWaiting);

  constructor(
    private readonly store: Pick<DeliveryStore, 'insertDeliveries'>,
    private readonly onCommit: (rows: number) => void,
  ) {}

  /** @throws RelinkError `database_unavailable` also when too much waits already. */
  async add(delivery: NewDelivery): Promise<InsertedDelivery> {
    const leave = this.room.enter(delivery.sealedContent.length);
    try {
      return await new Promise((resolve, reject) => {
        this.waiting.push({ delivery, resolve, reject });
        this.plan();
      });
    } finally {
      leave();
    }
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
    const fitting = countFitting(this.waiting, largestCommit, ({ delivery }) => delivery.sealedContent.length);
    const batch = this.waiting.splice(0, fitting);
    if (batch.length === 0) return;
    this.inFlight += 1;
    try {
      const outcomes = await this.insert(batch.map(({ delivery }) => delivery));
      this.onCommit(batch.length);
      batch.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined) reject(new RelinkError('internal', 'the store left out an outcome'));
        else resolve(outcome);
      });
    } catch (error) {
      const isAway = error instanceof RelinkError && error.code === 'database_unavailable';
      const failed = isAway ? [...batch, ...this.waiting.splice(0)] : batch;
      for (const { reject } of failed) reject(error);
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

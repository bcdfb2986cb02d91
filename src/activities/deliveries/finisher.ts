import type { IntegrationId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { DeliveryOutcome, DeliveryStore } from '../../store/port/store.js';

/**
 * Writes outcomes while the next deliveries run already: one statement at a time, and each takes along everything that
 * ended since the one before. So the outcome of a slow handler is written at once, and many quick ones share a write;
 * what a killed worker may repeat is what it had in hand and the ends of the last milliseconds.
 */
export class Finisher {
  private waiting: DeliveryOutcome[] = [];
  private writing: Promise<void> | undefined;
  private failure: Error | undefined;

  constructor(
    private readonly store: Pick<DeliveryStore, 'finishDeliveries'>,
    private readonly integrationId: IntegrationId,
    private readonly claim: string,
    private readonly now: () => Date,
  ) {}

  add(outcome: DeliveryOutcome): void {
    this.waiting.push(outcome);
    this.writing ??= this.write();
  }

  /**
   * Resolves when everything added is written.
   *
   * @throws RelinkError `claim_lost` when another consumer took over; whatever the store throws.
   */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
    this.check();
  }

  /** Throws what `settled` would, as far as it is known now. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private async write(): Promise<void> {
    // One turn of the loop later, so that what ends in this one goes along.
    await Promise.resolve();
    while (this.waiting.length > 0 && this.failure === undefined) {
      const outcomes = this.waiting;
      this.waiting = [];
      try {
        const lost = await this.store.finishDeliveries(this.integrationId, this.claim, outcomes, this.now());
        if (lost.length > 0) this.failure = new RelinkError('claim_lost', this.integrationId);
      } catch (error) {
        this.failure = error instanceof Error ? error : new Error('unknown');
      }
    }
    this.writing = undefined;
  }
}

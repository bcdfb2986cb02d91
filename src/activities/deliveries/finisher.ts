import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { DeliveryOutcome, DeliveryStore } from '../../store/port/store.js';

/** How long an outcome waits for others to go along. Milliseconds. */
const gatherMs = 5;
/** Between tries of a write that the database did not take. Milliseconds; about half a minute together. */
const retryAfterMs = [50, 100, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * Writes outcomes while the next deliveries run already: one statement at a time, a few milliseconds after the first of
 * them, and each takes along everything that ended meanwhile. So the outcome of a slow handler is written almost at
 * once, and many quick ones share a write; what a killed worker may repeat is what it had in hand and the ends of the
 * last milliseconds.
 *
 * A write that fails is tried again, because giving it up would run again everything that it holds. Nothing new begins
 * meanwhile.
 */
export class Finisher {
  private waiting: DeliveryOutcome[] = [];
  private writing: Promise<void> | undefined;
  private failure: Error | undefined;
  private recovered: Promise<void> | undefined;
  /** Ends the gathering. */
  private hurry: () => void = () => undefined;

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
    while (this.writing !== undefined) {
      this.hurry();
      await this.writing;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Resolves when the next delivery may begin; rejects with what `settled` would, as far as it is known now. */
  async ready(): Promise<void> {
    await this.recovered;
    if (this.failure !== undefined) throw this.failure;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0 && this.failure === undefined) {
      await this.gather();
      const outcomes = this.waiting;
      this.waiting = [];
      try {
        const lost = await this.finish(outcomes);
        if (lost.length > 0) this.failure = new RelinkError('claim_lost', this.integrationId);
      } catch (error) {
        this.failure = error instanceof Error ? error : new Error('unknown');
      }
    }
    this.writing = undefined;
  }

  private gather(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, gatherMs);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A try whose answer was lost may have written: then this ends as `claim_lost`, and the next attempt finds it done. */
  private async finish(outcomes: readonly DeliveryOutcome[]): Promise<readonly DeliveryId[]> {
    const { store, integrationId, claim, now } = this;
    let onRecovered = (): void => undefined;
    try {
      for (const waitMs of retryAfterMs) {
        try {
          return await store.finishDeliveries(integrationId, claim, outcomes, now());
        } catch (error) {
          if (!isPassing(error)) throw error;
          this.recovered ??= new Promise(resolve => (onRecovered = resolve));
          await sleep(waitMs);
        }
      }
      return await store.finishDeliveries(integrationId, claim, outcomes, now());
    } finally {
      this.recovered = undefined;
      onRecovered();
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof RelinkError && (error.code === 'database_unavailable' || error.code === 'write_conflict');
}

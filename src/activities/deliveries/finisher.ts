import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { DeliveryOutcome, DeliveryStore } from '../../store/port/store.js';

/** How long an outcome waits for others to go along. Milliseconds. */
const gatherMs = 5;
/** Between tries of a write that the database did not take; the last one from then on. Milliseconds. */
const retryAfterMs = [50, 100, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * Writes outcomes while the next deliveries run already: one statement at a time, a few milliseconds after the first of
 * them, and each takes along everything that ended meanwhile. So the outcome of a slow handler is written almost at
 * once, and many quick ones share a write; what a killed worker may repeat is what it had in hand and the ends of the
 * last milliseconds.
 *
 * A write that the database did not take is tried again until the work is called off, because giving it up would run
 * again everything that it holds, and count as a death what came to a good end. Nothing new begins meanwhile.
 *
 * Contract: the first failure is final. What is added after it is not written: its claim is lost, or the next consumer
 * finds it claimed; and `ready` lets nothing through from the moment of the failure on.
 */
export class Finisher {
  private waiting: DeliveryOutcome[] = [];
  private writing: Promise<void> | undefined;
  private failure: { readonly error: unknown } | undefined;
  private outage: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  /** Ends the gathering. */
  private hurry: () => void = () => undefined;

  constructor(
    private readonly store: Pick<DeliveryStore, 'finishDeliveries'>,
    private readonly integrationId: IntegrationId,
    private readonly claim: string,
    private readonly now: () => Date,
    /** Of the work: tries of a write end with it. */
    private readonly signal: AbortSignal,
  ) {}

  add(outcome: DeliveryOutcome): void {
    if (this.failure !== undefined) return;
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
    this.throwIfFailed();
  }

  /** Resolves when the next delivery may begin; rejects with what `settled` would, as far as it is known now. */
  async ready(): Promise<void> {
    await this.outage?.over;
    this.throwIfFailed();
  }

  private throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0 && this.failure === undefined) {
      await this.gather();
      const outcomes = this.waiting;
      this.waiting = [];
      try {
        const lost = await this.finish(outcomes);
        if (lost.length > 0) this.failure = { error: new RelinkError('claim_lost', this.integrationId) };
      } catch (error) {
        this.failure = { error };
      }
      // Only now: who waits for the end of an outage has to find how it ended.
      this.outage?.end();
      this.outage = undefined;
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
    const { store, integrationId, claim, now, signal } = this;
    for (let tries = 0; ; tries += 1) {
      try {
        return await store.finishDeliveries(integrationId, claim, outcomes, now());
      } catch (error) {
        if (!isPassing(error) || signal.aborted) throw error;
        this.outage ??= beginOutage();
        // Cut short by the signal, which leaves one more try.
        await sleep(retryAfterMs[Math.min(tries, retryAfterMs.length - 1)], undefined, { signal }).catch(
          () => undefined,
        );
      }
    }
  }
}

function beginOutage(): { readonly over: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const over = new Promise<void>(resolve => (end = resolve));
  return { over, end: () => end() };
}

function isPassing(error: unknown): boolean {
  return error instanceof RelinkError && (error.code === 'database_unavailable' || error.code === 'write_conflict');
}

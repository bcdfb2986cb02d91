import { setTimeout as sleep } from 'node:timers/promises';
import type { IntegrationId } from '../../domain/ids.js';
import type { Log } from '../../log.js';
import type { WorkflowStarter } from '../../temporal/workflow-starter.js';

/**
 * Between two wakes of one integration. A consumer that was woken looks for a second at least before it gives its slot
 * back, so it sees what comes meanwhile; the wake at the end of the pause is for what it may have missed.
 */
const pauseMs = 900;
const mostAtOnce = 16;
const firstRetryMs = 500;
const longestRetryMs = 10_000;
/** Beyond this many the sweep does it. */
const mostWaiting = 50_000;

interface Active {
  /** Something was committed since this integration's wake began. */
  again: boolean;
  /** It is not only for deliveries: a consumer that looks for those does not see it. */
  always: boolean;
  /** Runs while it pauses after a wake. */
  pause: NodeJS.Timeout | null;
}

/**
 * Wakes the consumers of what was committed: at most one wake in flight per integration, and one more after a commit
 * that came meanwhile. So after every commit there is a wake that began later than it, or a look at the database that
 * found the consumer still looking: that one needs none.
 *
 * Temporal may be away: wakes wait for it here, and a process that ends meanwhile leaves them to the sweep.
 */
export class Waker {
  private readonly active = new Map<IntegrationId, Active>();
  private readonly queue: IntegrationId[] = [];
  private running = 0;
  private isAway = false;
  private retryMs = firstRetryMs;
  /** Until then a failure belongs to the wave that was already answered with a longer wait. */
  private raisedUntil = 0;
  /** Ends the waits between tries. */
  private readonly retryWaits = new Set<() => void>();
  private phase: 'open' | 'closing' | 'closed' = 'open';

  constructor(
    private readonly workflows: Pick<WorkflowStarter, 'wakeWebhooks'>,
    private readonly log: Log,
    private readonly count: (outcome: 'sent' | 'spared' | 'failed') => void,
    /** Whether its consumer looks at least once more; asked after the commit. */
    private readonly isLookedAfter: (id: IntegrationId) => Promise<boolean>,
  ) {}

  /**
   * Call it after the commit.
   *
   * @param always Also where the consumer still looks for deliveries: for what it looks at only before those.
   */
  wake(id: IntegrationId, { always = false } = {}): void {
    const known = this.active.get(id);
    if (known !== undefined) {
      known.again = true;
      known.always ||= always;
    } else if (this.phase !== 'closed' && this.active.size < mostWaiting) {
      this.active.set(id, { again: false, always, pause: null });
      this.enqueue(id);
    }
  }

  /** Sends what waits, for `withinMs` at most, and not at all while Temporal is away. */
  async close(withinMs: number): Promise<void> {
    const until = Date.now() + withinMs;
    this.phase = 'closing';
    for (const [id, state] of this.active) {
      if (state.pause === null) continue;
      clearTimeout(state.pause);
      this.endPause(id, state);
    }
    while (this.active.size > 0 && !this.isAway && Date.now() < until) await sleep(10);
    this.phase = 'closed';
    this.endRetryWaits();
  }

  private enqueue(id: IntegrationId): void {
    if (this.phase === 'closed') return;
    this.queue.push(id);
    this.next();
  }

  private next(): void {
    while (this.running < mostAtOnce) {
      const id = this.queue.shift();
      if (id === undefined) return;
      this.running += 1;
      void this.send(id, this.active.get(id) ?? { again: false, always: false, pause: null });
    }
  }

  private async send(id: IntegrationId, state: Active): Promise<void> {
    state.again = false;
    const { always } = state;
    state.always = false;
    let sent = false;
    try {
      if (!always && (await this.isLookedAfter(id))) this.count('spared');
      else {
        await this.workflows.wakeWebhooks(id);
        this.count('sent');
        this.noteBack();
      }
      sent = true;
    } catch (error) {
      this.count('failed');
      this.noteAway(error);
    }
    // Whoever waits for Temporal holds one of the few slots: that many tries, however many wait.
    if (!sent) {
      state.always ||= always;
      await this.waitForRetry();
    }
    this.running -= 1;
    if (!sent) this.enqueue(id);
    else if (this.phase === 'open') state.pause = setTimeout(() => this.endPause(id, state), pauseMs).unref();
    else this.endPause(id, state);
    this.next();
  }

  /** A wake asked for since the one before goes now. */
  private endPause(id: IntegrationId, state: Active): void {
    state.pause = null;
    if (state.again) this.enqueue(id);
    else this.active.delete(id);
  }

  private waitForRetry(): Promise<void> {
    if (this.phase === 'closed') return Promise.resolve();
    return new Promise(resolve => {
      const end = () => {
        clearTimeout(timer);
        this.retryWaits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.retryMs).unref();
      this.retryWaits.add(end);
    });
  }

  private endRetryWaits(): void {
    for (const end of this.retryWaits) end();
  }

  private noteAway(error: unknown): void {
    const now = Date.now();
    if (!this.isAway) this.retryMs = firstRetryMs;
    else if (now >= this.raisedUntil) this.retryMs = Math.min(this.retryMs * 2, longestRetryMs);
    if (now >= this.raisedUntil) this.raisedUntil = now + this.retryMs;
    if (this.isAway) return;
    this.isAway = true;
    this.log.warn(
      { error },
      'Temporal cannot be reached: webhooks are taken in as before, and are worked through when it is back',
    );
  }

  private noteBack(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.raisedUntil = 0;
    this.log.info('Temporal is back: waking what waited for it');
    this.endRetryWaits();
  }
}

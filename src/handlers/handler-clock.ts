/**
 * What is left of a handler's time. It stands still while a request waits for the test or the refresh of a credential:
 * that is the service's time, and longer than many handlers have, so their deliveries would end as timed out where the
 * credential turns out dead and they are to be held.
 */
export class HandlerClock {
  private waits = 0;
  private leftMs = 0;
  private runsSince = 0;
  private timer: NodeJS.Timeout | undefined;
  private onOver: (() => void) | undefined;

  start(ms: number, onOver: () => void): void {
    this.leftMs = ms;
    this.onOver = onOver;
    this.run();
  }

  stop(): void {
    this.halt();
    this.onOver = undefined;
  }

  /** Stands still until the wait is over; several at once count as one. */
  async during<Result>(wait: Promise<Result>): Promise<Result> {
    this.waits += 1;
    this.halt();
    try {
      return await wait;
    } finally {
      this.waits -= 1;
      this.run();
    }
  }

  private run(): void {
    const { onOver } = this;
    if (this.waits > 0 || onOver === undefined) return;
    this.runsSince = Date.now();
    this.timer = setTimeout(onOver, this.leftMs);
  }

  private halt(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.leftMs = Math.max(this.leftMs - (Date.now() - this.runsSince), 0);
  }
}

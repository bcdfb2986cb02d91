/**
 * Work that must not be cut off with what began it: a code or a refresh token that was sent to the provider is spent, so
 * the answer has to reach the database even when the caller has gone or the process is asked to stop.
 */
export class RunningWork {
  readonly #running = new Set<Promise<unknown>>();

  /** Runs the work and keeps hold of it until it ends. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = work();
    this.#running.add(running);
    const release = () => this.#running.delete(running);
    running.then(release, release);
    return running;
  }

  /** Resolves when nothing is running, work that began meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}

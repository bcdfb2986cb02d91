import type { Log } from '../log.js';

const summedForMs = 60_000;

/**
 * Refusals of routes that are called thousands of times: a line for the first of a kind, and then one a minute with
 * their number for as long as they go on.
 */
export class Refusals {
  private readonly counts = new Map<string, number>();

  constructor(private readonly log: Log) {}

  /**
   * @param what Who was refused, such as `A webhook of attio`; one of few, since each is remembered.
   * @param fields Of the first one, to begin looking at.
   */
  note(what: string, code: string, fields: Readonly<Record<string, string>> = {}): void {
    this.tell({ ...fields, code }, `${what} was answered ${code}`);
  }

  /** The same for what is no refusal. */
  tell(fields: Readonly<Record<string, string>>, kind: string): void {
    const known = this.counts.get(kind);
    if (known !== undefined) {
      this.counts.set(kind, known + 1);
      return;
    }
    this.log.warn(fields, kind);
    this.watch(kind);
  }

  private watch(kind: string): void {
    this.counts.set(kind, 0);
    setTimeout(() => {
      const more = this.counts.get(kind) ?? 0;
      this.counts.delete(kind);
      if (more === 0) return;
      this.log.warn({ times: more }, `${kind}, ${more === 1 ? 'once more' : `${more} more times`} within a minute`);
      this.watch(kind);
    }, summedForMs).unref();
  }
}

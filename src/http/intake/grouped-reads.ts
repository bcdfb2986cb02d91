import { RelinkError } from '../../errors.js';

const readsInFlight = 2;

interface Waiting<Value> {
  readonly promise: Promise<Value | null>;
  readonly resolve: (value: Value | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads that are asked for at the same time share a statement: what comes while two are on their way goes together into
 * the next one. Nobody waits for a crowd to gather; one that finds a free slot is on its way at the end of this turn of
 * the event loop, so that all of one commit go together.
 *
 * A read begins after everyone whose answer it brings has asked: it sees whatever was committed before that. Where the
 * database was out of reach, all that wait fail with those who were read for.
 */
export class GroupedReads<Key extends string, Value> {
  private readonly waiting = new Map<Key, Waiting<Value>>();
  private inFlight = 0;
  private planned = false;

  /** @param largestRead How many keys one read asks for at most. */
  constructor(
    private readonly readMany: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
    private readonly largestRead: number,
  ) {}

  /**
   * The same promise for all who ask for one key before its read begins.
   *
   * @returns Null when there is nothing of this key.
   */
  read(key: Key): Promise<Value | null> {
    const known = this.waiting.get(key);
    if (known !== undefined) return known.promise;
    let resolve: Waiting<Value>['resolve'] = () => undefined;
    let reject: Waiting<Value>['reject'] = () => undefined;
    const promise = new Promise<Value | null>((...ends) => {
      [resolve, reject] = ends;
    });
    this.waiting.set(key, { promise, resolve, reject });
    this.plan();
    return promise;
  }

  private plan(): void {
    if (this.planned || this.inFlight >= readsInFlight || this.waiting.size === 0) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      void this.begin();
      this.plan();
    });
  }

  private async begin(): Promise<void> {
    const asked = this.take(this.largestRead);
    if (asked.length === 0) return;
    this.inFlight += 1;
    try {
      const found = await this.readMany(asked.map(([key]) => key));
      for (const [key, { resolve }] of asked) resolve(found.get(key) ?? null);
    } catch (error) {
      const isAway = error instanceof RelinkError && error.code === 'database_unavailable';
      for (const [, { reject }] of [...asked, ...(isAway ? this.take(Infinity) : [])]) reject(error);
    } finally {
      this.inFlight -= 1;
      this.plan();
    }
  }

  private take(count: number): [Key, Waiting<Value>][] {
    const taken = [...this.waiting].slice(0, count);
    for (const [key] of taken) this.waiting.delete(key);
    return taken;
  }
}

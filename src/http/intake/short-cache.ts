interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly at: number;
}

/**
 * Keeps what was read for a moment, and has one read for everybody who asks at once. A failed read is not kept. The
 * oldest entry goes when it is full.
 */
export class ShortCache<Value> {
  private readonly entries = new Map<string, Entry<Value>>();

  constructor(
    private readonly keepForMs: number,
    private readonly keepAtMost: number,
  ) {}

  /** @param maxAgeMs Ask for something fresher than usual. */
  get(key: string, read: () => Promise<Value>, maxAgeMs = this.keepForMs): Promise<Value> {
    const known = this.entries.get(key);
    if (known !== undefined && Date.now() - known.at <= maxAgeMs) return known.value;
    const value = read();
    const entry = { value, at: Date.now() };
    this.entries.delete(key);
    this.entries.set(key, entry);
    value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    if (this.entries.size > this.keepAtMost) {
      const oldest = this.entries.keys().next();
      if (oldest.done !== true) this.entries.delete(oldest.value);
    }
    return value;
  }

  forget(key: string): void {
    this.entries.delete(key);
  }
}

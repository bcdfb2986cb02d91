import { readMemory } from '../read-memory.js';

const everyMs = 1_000;

/** Samples the resident memory of named processes once a second; keeps the highest of each name, by part and of all. */
export class PeakMemory {
  private readonly pids = new Map<string, number>();
  private readonly highest = new Map<string, number>();
  private readonly highestOfPart = new Map<string, number>();
  private readonly last = new Map<string, number>();

  constructor() {
    setInterval(() => void this.sample(), everyMs).unref();
  }

  /** A name given again follows the new process. */
  watch(name: string, pid: number): void {
    this.pids.set(name, pid);
  }

  /** What the part that ends now has used; the next one begins. */
  async endPart(): Promise<string> {
    await this.sample();
    const told = [...this.pids.keys()]
      .map(name => {
        const highest = this.highestOfPart.get(name);
        return highest === undefined ? `${name} not running` : `${name} ${this.last.get(name)} MB (highest ${highest})`;
      })
      .join(', ');
    this.highestOfPart.clear();
    return told;
  }

  peaks(): Record<string, number> {
    return Object.fromEntries(this.highest);
  }

  private async sample(): Promise<void> {
    for (const [name, pid] of this.pids) {
      const memory = await readMemory(pid).catch(() => 0);
      if (memory === 0) continue;
      this.last.set(name, memory);
      for (const highest of [this.highest, this.highestOfPart]) {
        highest.set(name, Math.max(memory, highest.get(name) ?? 0));
      }
    }
  }
}

import { readMemory } from '../read-memory.js';

const everyMs = 1_000;

/** Samples the resident memory of named processes once a second and keeps the highest of each name. */
export class PeakMemory {
  private readonly pids = new Map<string, number>();
  private readonly highest = new Map<string, number>();
  private readonly last = new Map<string, number>();

  constructor() {
    setInterval(() => void this.sample(), everyMs).unref();
  }

  /** A name given again follows the new process. */
  watch(name: string, pid: number): void {
    this.pids.set(name, pid);
  }

  show(): string {
    return [...this.pids.keys()]
      .map(name => `${name} ${this.last.get(name) ?? '?'} MB (highest ${this.highest.get(name) ?? '?'})`)
      .join(', ');
  }

  peaks(): Record<string, number> {
    return Object.fromEntries(this.highest);
  }

  private async sample(): Promise<void> {
    for (const [name, pid] of this.pids) {
      const memory = await readMemory(pid).catch(() => 0);
      if (memory === 0) continue;
      this.last.set(name, memory);
      this.highest.set(name, Math.max(memory, this.highest.get(name) ?? 0));
    }
  }
}

import type { CredentialId } from '../domain/ids.js';

const rememberedForMs = 3_600_000;
const maxRemembered = 10_000;

export interface RefusalMemory {
  /** An endpoint refused a token that was new: it will refuse the next one too. */
  note(id: CredentialId): void;
  /** Whether that was within the last hour. */
  has(id: CredentialId): boolean;
}

/** By credential and not by address: one missing scope can refuse a thousand of them. */
export function createRefusalMemory(now: () => number = Date.now): RefusalMemory {
  const until = new Map<CredentialId, number>();
  return {
    note(id) {
      for (const oldest of until.keys()) {
        if (until.size < maxRemembered) break;
        until.delete(oldest);
      }
      until.set(id, now() + rememberedForMs);
    },
    has: id => now() < (until.get(id) ?? 0),
  };
}

import type { CredentialId } from '../domain/ids.js';

const maxRemembered = 10_000;

export interface CredentialMemory {
  note(id: CredentialId): void;
  /** Whether it was noted less than the memory's time ago. */
  has(id: CredentialId): boolean;
}

/**
 * What this process remembers of credentials for a while, bounded in time and number: the oldest are forgotten first.
 * By credential and not by address: one missing scope can refuse a thousand of them.
 *
 * @param forMs Milliseconds.
 */
export function createCredentialMemory(forMs: number, now: () => number = Date.now): CredentialMemory {
  const until = new Map<CredentialId, number>();
  return {
    note(id) {
      until.delete(id);
      for (const oldest of until.keys()) {
        if (until.size < maxRemembered) break;
        until.delete(oldest);
      }
      until.set(id, now() + forMs);
    },
    has: id => now() < (until.get(id) ?? 0),
  };
}

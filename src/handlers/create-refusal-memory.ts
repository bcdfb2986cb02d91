import { createCredentialMemory, type CredentialMemory } from '../credentials/create-credential-memory.js';

/** What endpoints refuse for reasons of their own (a missing scope), so that it costs nothing each time. */
export interface RefusalMemory {
  /** An endpoint refused a token that was new: it will refuse the next one too, so none is asked for. One hour. */
  readonly newTokens: CredentialMemory;
  /** An endpoint refused, once more, a token that its test had just found good: not repeated for as long as the test counts. */
  readonly repeats: CredentialMemory;
}

const newTokensForMs = 3_600_000;
const repeatsForMs = 30_000;

export function createRefusalMemory(now: () => number = Date.now): RefusalMemory {
  return {
    newTokens: createCredentialMemory(newTokensForMs, now),
    repeats: createCredentialMemory(repeatsForMs, now),
  };
}

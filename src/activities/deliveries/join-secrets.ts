import { RelinkError } from '../../errors.js';
import type { Secret } from '../../vault/secret.js';
import { decodeSecrets } from '../../vault/subscription-secrets-codec.js';

/**
 * What a hook brought, and behind it what somebody else brought while it ran: an attempt that was given up on and goes
 * on, its successor, a handshake. Which of them the provider signs with nobody here knows.
 *
 * @param open Opens the others' secrets. Those that this worker lacks the key of are left out.
 * @returns The secrets, newest first; whether the others had any that the hook did not bring.
 */
export function joinSecrets(
  brought: readonly Secret[],
  open: () => Secret,
): { readonly secrets: readonly Secret[]; readonly isContested: boolean } {
  const own = new Set(brought.map(secret => secret.reveal()));
  try {
    const others = decodeSecrets(open()).filter(secret => !own.has(secret.reveal()));
    return { secrets: [...brought, ...others], isContested: others.length > 0 };
  } catch (error) {
    if (!(error instanceof RelinkError && error.code === 'secret_unreadable')) throw error;
    return { secrets: brought, isContested: true };
  }
}

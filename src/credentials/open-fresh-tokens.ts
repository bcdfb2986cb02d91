import { RelinkError } from '../errors.js';
import type { TokenSet } from '../providers/definition.js';
import { parseTokenSet } from '../providers/token-set-codec.js';
import type { Credential, Store } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { Vault } from '../vault/vault.js';
import type { CredentialRefresher } from './refresh-once.js';

export interface FreshTokenDependencies {
  readonly store: Pick<Store, 'getCredential'>;
  readonly vault: Vault;
  readonly refresher: CredentialRefresher;
  readonly now: () => Date;
}

/** A token that ends sooner is not worth handing out. Milliseconds. */
const leastLifeMs = 10_000;
/** When to come again over what only the operator can mend. Milliseconds. */
const operatorWaitMs = 60_000;

/**
 * The tokens of a credential, refreshed first where they are due: unlike a request of a handler, whoever gets one here
 * keeps it for a while, so the new one is waited for. One that still lives is better than none.
 *
 * @throws RelinkError `credential_dead`; `refresh_pending` with its time; `secret_unreadable`.
 */
export async function openFreshTokens(
  { store, vault, refresher, now }: FreshTokenDependencies,
  id: Credential['id'],
  deadlineMs: number,
): Promise<{ readonly credential: Credential; readonly tokens: TokenSet }> {
  const read = async () => {
    const credential = await store.getCredential(id);
    if (credential?.authIsValid !== true) throw new RelinkError('credential_dead', id);
    return credential;
  };
  let credential = await read();
  if (isDue(credential, now())) {
    const outcome = await refresher.refresh(credential, { deadlineMs });
    if (outcome.kind === 'dead' || outcome.kind === 'gone') throw new RelinkError('credential_dead', id);
    credential = await read();
    // A new one is given out however short its life is.
    if (!isAlive(credential, now(), outcome.kind === 'refreshed' ? 0 : leastLifeMs)) {
      if (outcome.kind === 'not_refreshable') throw new RelinkError('credential_dead', id);
      const retryAfterMs = outcome.kind === 'pending' ? outcome.retryAfterMs : operatorWaitMs;
      throw new RelinkError('refresh_pending', credential.provider, { retryAfterMs });
    }
  }
  const tokens = parseTokenSet(vault.open(credential.sealedTokens, credentialTokensBinding(id)));
  return { credential, tokens };
}

function isDue(credential: Credential, now: Date): boolean {
  const { refreshable, refreshDueAt } = credential;
  const isOverdue = refreshable && refreshDueAt !== null && refreshDueAt.getTime() <= now.getTime();
  return isOverdue || !isAlive(credential, now);
}

function isAlive({ expiresAt }: Credential, now: Date, forMs = leastLifeMs): boolean {
  return expiresAt === null || expiresAt.getTime() - forMs > now.getTime();
}

import type { TokenSet } from '../providers/definition.js';
import type { Credential, Store } from '../store/port/store.js';
import type { Vault } from '../vault/vault.js';
import { isAlive, isDue } from './is-due.js';
import { openTokens } from './open-tokens.js';
import { readUsable } from './read-usable.js';
import type { CredentialRefresher } from './credential-refresher.js';
import { toRefreshError } from './to-refresh-error.js';

export interface FreshTokenDependencies {
  readonly store: Pick<Store, 'getCredential'>;
  readonly vault: Vault;
  readonly refresher: CredentialRefresher;
  readonly now: () => Date;
}

/**
 * The tokens of a credential, refreshed first where they are due: unlike a request of a handler, whoever gets one here
 * keeps it for a while, so the new one is waited for. One that still lives is better than none, and one that was just
 * brought is as good as can be, whatever this process's clock says of it.
 *
 * @throws RelinkError `credential_dead`; `client_rejected`; `refresh_pending` with its time; `secret_unreadable`.
 */
export async function openFreshTokens(
  { store, vault, refresher, now }: FreshTokenDependencies,
  id: Credential['id'],
  deadlineMs: number,
): Promise<{ readonly credential: Credential; readonly tokens: TokenSet }> {
  let credential = await readUsable(store, id);
  if (isDue(credential, now())) {
    const outcome = await refresher.refresh(credential, { deadlineMs, byClock: true });
    if (outcome.kind === 'dead' || outcome.kind === 'gone') throw toRefreshError(outcome, credential);
    credential = await readUsable(store, id);
    if (outcome.kind !== 'refreshed' && !isAlive(credential, now())) throw toRefreshError(outcome, credential);
  }
  const tokens = openTokens(vault, credential);
  return { credential, tokens };
}

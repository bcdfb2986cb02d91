import { openTokens } from '../credentials/open-tokens.js';
import { judgeStanding } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import { catalogue } from '../providers/catalogue/index.js';
import type { TokenSet } from '../providers/definition.js';
import { planRefresh } from '../providers/plan-refresh.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import { equalsConstantTime } from '../vault/hash.js';
import type { Vault } from '../vault/vault.js';
import type { ActivityDependencies } from './dependencies.js';

const maxTries = 20;

/**
 * For a refresh that was overtaken by a reconnect whose answer had no refresh token, so that the one held was kept: the very
 * one that this refresh has spent. The one that came for it goes to the newer access token. A grant with a refresh token of
 * its own is left alone, and so is one that died.
 *
 * May be repeated: once it has written, the spent one is held no more.
 *
 * @param refreshed The credential as it was when its refresh token was sent.
 * @returns The row before and after the write; null when nothing was written.
 */
export async function keepRotated(
  { store, vault, now }: ActivityDependencies,
  refreshed: Credential,
  { key, refreshToken }: TokenSet,
): Promise<{ readonly before: Credential; readonly after: Credential } | null> {
  const { id, provider, generation } = refreshed;
  const spent = openIfReadable(vault, refreshed)?.refreshToken?.reveal();
  if (key !== undefined || refreshToken === null || spent === undefined) return null;
  if (equalsConstantTime(refreshToken.reveal(), spent)) return null;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const before = await store.getCredential(id);
    if (before === null || before.generation <= generation || judgeStanding(before) === 'dead') return null;
    const held = openIfReadable(vault, before);
    const kept = held?.refreshToken?.reveal();
    if (held === null || kept === undefined || !equalsConstantTime(kept, spent)) return null;
    const refreshable = true;
    const { expiresAt } = held;
    const after = await store.compareAndSetTokens(
      id,
      before.generation,
      {
        sealedTokens: vault.seal(serialiseTokenSet({ ...held, refreshToken }), credentialTokensBinding(id)),
        refreshable,
        expiresAt,
        ...planRefresh(catalogue.get(provider) ?? {}, { refreshable, expiresAt }, now(), Math.random()),
      },
      now(),
    );
    if (after !== null) return { before, after };
  }
  throw new RelinkError('write_conflict', `refresh of ${id}`);
}

/** Null where it is sealed under a key that this worker lacks. */
function openIfReadable(vault: Vault, credential: Credential): TokenSet | null {
  try {
    return openTokens(vault, credential);
  } catch (error) {
    if (error instanceof RelinkError && error.code === 'secret_unreadable') return null;
    throw error;
  }
}

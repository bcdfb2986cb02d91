import { openTokens } from '../credentials/open-tokens.js';
import { judgeStanding } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import { newId } from '../ids.js';
import { catalogue } from '../providers/catalogue/index.js';
import type { TokenSet } from '../providers/definition.js';
import { isRefreshable } from '../providers/is-refreshable.js';
import { planGrantEnd, planRefresh } from '../providers/plan-refresh.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential, GrantWrite, ProvenAccount, Session } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';
import { tellRecovery } from './tell-recovery.js';

const maxTries = 20;

/**
 * Writes a proven grant: inserts the credential or replaces the tokens of the existing one, whichever the unique key
 * and the conditional write allow. Returns the row as it stands, which may be a later grant's.
 */
export async function storeGrant(
  dependencies: ActivityDependencies,
  session: Session,
  account: ProvenAccount,
  tokens: TokenSet,
): Promise<Credential> {
  const { store, vault, now } = dependencies;
  const { userId, provider, grantSequence } = session;
  if (grantSequence === null) throw new RelinkError('internal', `${session.id} has no grant number`);
  const externalId = account.credentialExternalId;
  // A worker that lacks the provider's settings can still store what was proven.
  const definition = catalogue.get(provider) ?? {};

  const sealFor = (id: Credential['id'], kept: TokenSet): GrantWrite => {
    const { expiresAt, key } = kept;
    const refreshable = isRefreshable(kept);
    // What a provider says of its grants does not hold for keys.
    const limits = key === undefined ? definition : {};
    return {
      kind: key?.kind ?? 'oauth2',
      sealedTokens: vault.seal(serialiseTokenSet(kept), credentialTokensBinding(id)),
      refreshable,
      expiresAt,
      ...planRefresh(limits, { refreshable, expiresAt }, now(), Math.random()),
      ...planGrantEnd(limits, now()),
      grantSequence,
    };
  };

  const insert = () => {
    const id = newId('credential');
    return store.insertCredential({ id, userId, provider, externalId }, sealFor(id, tokens), now());
  };

  // An attempt that names no account to come back as is mostly a first connection.
  const inserted = session.expectedEntityId === null ? await insert() : null;
  if (inserted !== null) return inserted;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const existing = await store.findCredentialByExternalId(userId, provider, externalId);
    if (existing === null) {
      const late = await insert();
      if (late !== null) return late;
      continue;
    }
    if (existing.grantSequence >= grantSequence) return existing;
    const kept = keepRefreshToken(tokens, existing, () => openTokens(vault, existing));
    const replaced = await store.replaceGrant(existing.id, existing.epoch, sealFor(existing.id, kept), now());
    if (replaced === null) continue;
    if (!existing.authIsValid) tellRecovery(dependencies, replaced, 'connected');
    return replaced;
  }
  throw new RelinkError('write_conflict', `credential of ${session.id}`);
}

/**
 * An answer without a refresh token keeps the one held (Google and Zoho send it at first consent only): it is the same
 * account, by the credential's key. The one of a dead credential is not kept: it was refused.
 */
function keepRefreshToken(tokens: TokenSet, existing: Credential, openExisting: () => TokenSet): TokenSet {
  if (tokens.key !== undefined || existing.kind !== 'oauth2') return tokens;
  if (tokens.refreshToken !== null || !existing.refreshable || judgeStanding(existing) === 'dead') return tokens;
  try {
    return { ...tokens, refreshToken: openExisting().refreshToken };
  } catch (error) {
    // Sealed under a key that is gone. The new grant mends that; without its refresh token it is still worth storing.
    if (error instanceof RelinkError && error.code === 'secret_unreadable') return tokens;
    throw error;
  }
}

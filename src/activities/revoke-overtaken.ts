import { RelinkError } from '../errors.js';
import type { TokenSet } from '../providers/definition.js';
import { revokeGrant } from '../providers/revoke-grant.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Ends what a refresh brought for a credential that was deleted while it was under way: nobody holds these tokens but
 * this process, and they live at the provider.
 *
 * Both ways, because the deletion may stand anywhere. Into the row, for a revocation that is still to come and outlasts
 * outages; and a revocation on the spot, for one that has been made with the tokens before. Revoking twice is harmless.
 * Not where the account was connected again: at some providers that would take the new grant along.
 */
export async function revokeOvertaken(
  dependencies: ActivityDependencies,
  refreshed: Pick<Credential, 'id' | 'userId' | 'provider' | 'externalId' | 'generation'>,
  tokens: TokenSet,
): Promise<void> {
  const { store, vault, providers, log, now } = dependencies;
  const { id, userId, provider, externalId, generation } = refreshed;
  const known = await store.findCredentialByExternalId(userId, provider, externalId);
  if (known !== null) {
    const isDeleted =
      known.id === id && known.verdict?.code === 'credential_deleted' && known.generation === generation;
    if (!isDeleted) return;
    const sealedTokens = vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(id));
    await store.keepTokensOfDeleted(id, generation, sealedTokens);
  }
  const revocation = await revokeGrant(providers.get(provider), tokens, { now }).then(
    ({ kind }) => kind,
    (error: unknown) => {
      if (error instanceof RelinkError) return error.code;
      throw error;
    },
  );
  const line = { credentialId: id, provider, revocation };
  if (revocation === 'revoked' || revocation === 'not_offered') {
    log.info(line, `${id} was deleted while it was refreshed; what the refresh brought: ${revocation}`);
  } else {
    log.warn(
      line,
      `${id} was deleted while it was refreshed, and ${provider} did not revoke what the refresh brought (${revocation}): its user can still remove it there`,
    );
  }
}

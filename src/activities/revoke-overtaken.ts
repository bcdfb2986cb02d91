import { RelinkError } from '../errors.js';
import type { TokenSet } from '../providers/definition.js';
import { revokeGrant } from '../providers/revoke-grant.js';
import { serialiseTokenSet } from '../providers/token-set-codec.js';
import type { Credential } from '../store/port/store.js';
import { credentialTokensBinding } from '../vault/bindings.js';
import type { ActivityDependencies } from './dependencies.js';
import { writeUntilStored } from './write-until-stored.js';

type RefreshedCredential = Pick<Credential, 'id' | 'userId' | 'provider' | 'externalId' | 'generation'>;

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
  refreshed: RefreshedCredential,
  tokens: TokenSet,
): Promise<void> {
  const { providers, log, now } = dependencies;
  const { id, provider } = refreshed;
  const isOver = await writeUntilStored(
    { log, fields: { credentialId: id }, what: `What came for ${id} after its end` },
    () => handOver(dependencies, refreshed, tokens),
  );
  if (!isOver) return;
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

/** Into the row, where a deletion is still at it. False: the account was connected again. Safe to repeat. */
async function handOver(
  { store, vault }: ActivityDependencies,
  { id, userId, provider, externalId, generation }: RefreshedCredential,
  tokens: TokenSet,
): Promise<boolean> {
  const known = await store.findCredentialByExternalId(userId, provider, externalId);
  if (known === null) return true;
  const isDeleted = known.id === id && known.verdict?.code === 'credential_deleted' && known.generation === generation;
  if (!isDeleted) return false;
  await store.keepTokensOfDeleted(id, generation, vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(id)));
  return true;
}

import type { Activities, RevocationOutcome } from '../contracts/activities.js';
import type { Credential } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * The last step of a deletion. What integrations still use stays, without its tokens, as what they are in ERROR over:
 * a later connection of the same account takes its place and restores them.
 */
export function removeCredential({ store, log }: ActivityDependencies): Activities['removeCredential'] {
  return async ({ credentialId, epoch, revocation }) => {
    const credential = await store.getCredential(credentialId);
    // A repeat after its own write, or after a reconnect.
    if (credential === null) return { outcome: 'removed' };
    if (credential.epoch !== epoch || credential.verdict?.code !== 'credential_deleted')
      return { outcome: 'overtaken' };
    await store.deleteUnusedEntities(credentialId, credential.grantSequence);
    const removed = await store.deleteCredential(credentialId, epoch);
    if (!removed && !(await store.wipeCredential(credentialId, epoch))) return { outcome: 'overtaken' };
    const outcome = removed ? 'removed' : 'emptied';
    const level = revocation === 'refused' || revocation === 'unreachable' ? 'warn' : 'info';
    log[level](
      { credentialId, provider: credential.provider, kind: credential.kind, revocation, outcome },
      `Credential ${credentialId} is ${removed ? 'removed' : 'emptied, and stays for the integrations that use it'}. ${tellRevocation(revocation, credential)}`,
    );
    return { outcome };
  };
}

/** What its user may still have to do. */
function tellRevocation(revocation: RevocationOutcome, { kind, provider, sealedTokens }: Credential): string {
  switch (revocation) {
    case 'revoked':
      return `${provider} revoked its grant.`;
    case 'not_offered':
      if (sealedTokens === '') return 'It held no tokens any more.';
      return kind === 'oauth2'
        ? `${provider} offers no revocation: its user can remove the grant there.`
        : `It came from its user, who can delete it at ${provider}.`;
    case 'refused':
      return `${provider} refused to revoke its grant: its user can still remove it there.`;
    case 'unreachable':
      return `${provider} could not be asked to revoke its grant: its user can still remove it there.`;
    case 'overtaken':
      return 'It was connected again meanwhile.';
  }
}

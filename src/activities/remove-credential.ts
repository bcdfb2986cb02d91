import type { Activities } from '../contracts/activities.js';
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
    const line = { credentialId, provider: credential.provider, revocation, outcome };
    if (revocation === 'refused' || revocation === 'unreachable') {
      log.warn(
        line,
        `Credential ${credentialId} is ${outcome}, but ${credential.provider} did not revoke its grant (${revocation}): its user can still remove it there`,
      );
    } else {
      log.info(line, `Credential ${credentialId} is ${outcome}; its grant at ${credential.provider}: ${revocation}`);
    }
    return { outcome };
  };
}

import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';
import { tellRecovery } from './tell-recovery.js';

/**
 * A repeat finds the credential valid one epoch later and of the same generation: this activity's own write, so its
 * restore goes on. A reconnect raises the generation too, and restores by itself.
 */
export function markCredentialValid(dependencies: ActivityDependencies): Activities['markCredentialValid'] {
  const { store, now } = dependencies;
  return async ({ credentialId, epoch, generation }) => {
    const marked = await store.markCredentialValid(credentialId, epoch, now());
    if (marked !== null) {
      tellRecovery(dependencies, marked, 'test');
      return { epoch: marked.epoch };
    }
    const credential = await store.getCredential(credentialId);
    const ours =
      credential?.authIsValid === true && credential.epoch === epoch + 1 && credential.generation === generation;
    return { epoch: ours ? credential.epoch : null };
  };
}

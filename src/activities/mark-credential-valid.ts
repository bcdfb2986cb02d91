import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** A repeat finds the credential valid one epoch later: this activity's own write, so its restore goes on. */
export function markCredentialValid({ store, log, now }: ActivityDependencies): Activities['markCredentialValid'] {
  return async ({ credentialId, epoch }) => {
    const marked = await store.markCredentialValid(credentialId, epoch, now());
    if (marked !== null) {
      log.info({ credentialId, epoch: marked.epoch }, `Credential ${credentialId} works again: its test passed.`);
      return { epoch: marked.epoch };
    }
    const credential = await store.getCredential(credentialId);
    const ours = credential !== null && credential.authIsValid && credential.epoch === epoch + 1;
    return { epoch: ours ? credential.epoch : null };
  };
}

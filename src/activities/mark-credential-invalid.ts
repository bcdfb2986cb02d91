import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Holds only at the epoch that was found dead. A repeat finds the credential dead one epoch later, which can only be
 * this invalidation's own write; a death that is known already is told again at its own epoch.
 */
export function markCredentialInvalid({ store, log, now }: ActivityDependencies): Activities['markCredentialInvalid'] {
  return async ({ credentialId, epoch, code, httpStatus }) => {
    const since = now();
    const marked = await store.markCredentialInvalid(credentialId, epoch, { code, httpStatus, since }, since);
    if (marked !== null) {
      const status = httpStatus === null ? '' : ` with HTTP ${httpStatus}`;
      log.error(
        { credentialId, provider: marked.provider, code, httpStatus, epoch: marked.epoch },
        `Credential ${credentialId} is dead: ${marked.provider} refused it${status} (${code}). Its user has to reconnect.`,
      );
      return { causeEpoch: marked.epoch };
    }
    const credential = await store.getCredential(credentialId);
    const known = credential !== null && !credential.authIsValid && [epoch, epoch + 1].includes(credential.epoch);
    return { causeEpoch: known ? credential.epoch : null };
  };
}

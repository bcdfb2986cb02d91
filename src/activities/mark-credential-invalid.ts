import { Context } from '@temporalio/activity';
import type { Activities } from '../contracts/activities.js';
import type { CauseCode } from '../domain/cause.js';
import type { CredentialId, ProviderId } from '../domain/ids.js';
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
      const { provider } = marked;
      Context.current().metricMeter.createCounter('relink_credential_deaths_total').add(1, { provider, code });
      log.error(
        { credentialId, provider, code, httpStatus, epoch: marked.epoch },
        tellEvent(code, credentialId, provider, httpStatus === null ? '' : ` with HTTP ${httpStatus}`),
      );
      return { causeEpoch: marked.epoch };
    }
    const credential = await store.getCredential(credentialId);
    const known = credential !== null && !credential.authIsValid && [epoch, epoch + 1].includes(credential.epoch);
    return { causeEpoch: known ? credential.epoch : null };
  };
}

/** The one line of a death, for operators. */
function tellEvent(code: CauseCode, id: CredentialId, provider: ProviderId, status: string): string {
  switch (code) {
    case 'credential_refused':
    case 'refresh_refused':
      return `Credential ${id} is dead: ${provider} refused it${status} (${code}). Its user has to reconnect.`;
    case 'refresh_outcome_unknown':
      return `Credential ${id} is dead: the answer to its refresh was lost, and ${provider} refused the retry${status} (${code}). Its user has to reconnect.`;
    case 'client_rejected':
      return `Credential ${id} cannot be refreshed: ${provider} rejected this product's client${status} (${code}). Correct the client id or secret; reconnecting does not help.`;
    case 'credential_deleted':
      return `Credential ${id} is dead: its user deleted it (${code}).`;
  }
}

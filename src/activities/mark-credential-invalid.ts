import { Context } from '@temporalio/activity';
import type { Activities } from '../contracts/activities.js';
import { type CauseCode, remedyOf } from '../domain/cause.js';
import type { EntityId } from '../domain/ids.js';
import type { Credential, Store } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Holds only at the epoch that was found dead. A repeat finds the credential dead one epoch later, which can only be
 * this invalidation's own write; a death that is known already is told again at its own epoch.
 *
 * A repeat tells such a write of its own again: the attempt before it may have died between its commit and its line, and
 * a line that comes twice is better than none.
 */
export function markCredentialInvalid(dependencies: ActivityDependencies): Activities['markCredentialInvalid'] {
  const { store, now } = dependencies;
  return async input => {
    const { credentialId, epoch, code, httpStatus } = input;
    const since = now();
    const isRepeat = Context.current().info.attempt > 1;
    const before = await store.getCredential(credentialId);
    const mayTell = before?.epoch === epoch || (isRepeat && before?.epoch === epoch + 1);
    // Read before the write: a line that could not be completed after it would never be told.
    const entityIds = mayTell ? await findEntityIds(store, before) : [];
    const marked = await store.markCredentialInvalid(credentialId, epoch, { code, httpStatus, since }, since);
    if (marked !== null) {
      tell(dependencies, marked, entityIds, input);
      return { causeEpoch: marked.epoch };
    }
    const credential = await store.getCredential(credentialId);
    const known = credential !== null && !credential.authIsValid && [epoch, epoch + 1].includes(credential.epoch);
    if (!known) return { causeEpoch: null };
    const isOwn = credential.epoch === epoch + 1 && credential.verdict?.code === code;
    if (isRepeat && isOwn) tell(dependencies, credential, entityIds, input);
    return { causeEpoch: credential.epoch };
  };
}

/** The count and the one line of a death. */
function tell(
  { clientFaults, log }: ActivityDependencies,
  credential: Credential,
  entityIds: readonly EntityId[],
  { code, httpStatus, providerError = null }: Parameters<Activities['markCredentialInvalid']>[0],
): void {
  const { id: credentialId, provider, kind, userId, externalId: account, epoch } = credential;
  Context.current().metricMeter.createCounter('relink_credential_deaths_total').add(1, { provider, code });
  const isKnown = code === 'client_rejected' && !clientFaults.noteRejected(provider);
  log[isKnown ? 'info' : 'error'](
    {
      ...{ credentialId, provider, kind, userId, account, entityIds },
      ...{ code, httpStatus, providerError, epoch },
    },
    tellEvent(code, credential, httpStatus === null ? '' : ` with HTTP ${httpStatus}`),
  );
}

/** Those among its user's first hundred: a line that leaves some out still names its user and its account. */
async function findEntityIds(store: Store, { id, userId }: Credential): Promise<readonly EntityId[]> {
  const { rows } = await store.listEntities(userId, { limit: 100, after: null });
  return rows.filter(({ credentialId }) => credentialId === id).map(entity => entity.id);
}

/** The one line of a verdict, for operators. */
function tellEvent(code: CauseCode, { id, provider, kind }: Credential, status: string): string {
  const remedy = `Its user has to ${remedyOf(kind)}.`;
  switch (code) {
    case 'credential_refused':
    case 'refresh_refused':
      return `Credential ${id} is dead: ${provider} refused it${status} (${code}). ${remedy}`;
    case 'refresh_outcome_unknown':
      return `Credential ${id} is dead: the answer to its refresh was lost, and ${provider} refused the retry${status} (${code}). ${remedy}`;
    case 'client_rejected':
      return `Credential ${id} cannot be refreshed: ${provider} rejected this product's client${status} (${code}). Correct the client id or secret and restart; then POST /api/credentials/${id}/test heals it at once, and the sweep within 15 minutes. Reconnecting does not help. Others at ${provider} are told at level info.`;
    case 'credential_deleted':
      return `Credential ${id} is dead: its user deleted it (${code}).`;
  }
}

import type { CredentialId, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { HttpContext } from '../dependencies.js';

const maxTries = 20;

/**
 * Marks the credential, which makes it unusable at once, and has the rest done by delete/<credential>/<epoch>. The mark
 * is what counts: a deletion whose workflow cannot be started now is started by the sweep.
 *
 * @param force Also where integrations use it; they go into ERROR over it.
 * @throws RelinkError `not_found`, `credential_in_use`, `write_conflict`.
 */
export async function deleteCredential(
  { store, workflows, log, now }: HttpContext,
  id: CredentialId,
  userId: UserId,
  force: boolean,
): Promise<void> {
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const credential = await store.getCredentialForUser(id, userId);
    if (credential === null) throw new RelinkError('not_found', id);
    const isMarked = credential.verdict?.code === 'credential_deleted';
    // Also of one that is marked: emptied and in use it stays, and 204 would say that it goes.
    if (!force) {
      const { rows } = await store.findIntegrationsByCredentialId(id, { limit: 100, after: null });
      const using = rows.filter(({ status }) => status !== 'IN_DELETION');
      if (using.length > 0) throw new RelinkError('credential_in_use', id);
    }
    const marked = isMarked ? credential : await store.markCredentialDeleted(id, credential.epoch, now());
    // Refreshed, reconnected or found dead at this moment: looked at again.
    if (marked === null) continue;
    const { provider, epoch } = marked;
    if (!isMarked) log.info({ credentialId: id, provider, epoch }, `Credential ${id} was deleted by its user`);
    try {
      await workflows.startDeletion({ credentialId: id, provider, epoch });
    } catch (error) {
      log.warn({ credentialId: id, error }, `The sweep will start delete/${id}/${epoch}`);
    }
    return;
  }
  throw new RelinkError('write_conflict', id);
}

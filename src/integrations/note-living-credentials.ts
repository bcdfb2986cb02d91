import type { CredentialId, IntegrationId } from '../domain/ids.js';
import { type IntegrationState, restore } from '../domain/integration-state.js';

/** The part of the store that is read. */
export interface CredentialPointers {
  getCurrentCredentialIds(id: IntegrationId): Promise<ReadonlySet<CredentialId>>;
  getCredential(id: CredentialId): Promise<{ readonly authIsValid: boolean; readonly epoch: number } | null>;
}

/**
 * Notes the epochs of the integration's living credentials. The restore of an earlier connect, should it still be on its
 * way, is then a no-op: it must not end a pause that the user sets after that connect.
 */
export async function noteLivingCredentials(
  store: CredentialPointers,
  id: IntegrationId,
  state: IntegrationState,
): Promise<IntegrationState> {
  const currentCredentialIds = await store.getCurrentCredentialIds(id);
  let noted = state;
  for (const credentialId of currentCredentialIds) {
    const credential = await store.getCredential(credentialId);
    if (credential?.authIsValid !== true) continue;
    noted = restore(noted, { credentialId, epoch: credential.epoch, currentCredentialIds, optIn: false });
  }
  return noted;
}

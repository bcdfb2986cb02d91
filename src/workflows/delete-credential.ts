import { ActivityFailure } from '@temporalio/common';
import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { DeletionActivities, RevocationOutcome } from '../contracts/activities.js';
import type { DeleteCredentialInput, DeleteCredentialResult } from '../contracts/workflows.js';
import { recordOptions, revokeOptions } from './activity-options.js';
import { setSearchAttributes } from './search-attributes.js';
import { tellDeathOnce } from './tell-death-once.js';

const { removeCredential } = proxyActivities<DeletionActivities>(recordOptions);

/**
 * Ends a credential that its user deleted. It is marked before this begins, so nothing uses it any more whatever
 * happens here: its integrations are told, then it is revoked at the provider for as long as that takes, then it goes.
 * Each step holds only at the mark's epoch; a reconnect meanwhile wins.
 */
export async function deleteCredential(input: DeleteCredentialInput): Promise<DeleteCredentialResult> {
  const { credentialId, provider, epoch } = input;
  setSearchAttributes({ CredentialId: credentialId, Provider: provider, Stage: 'telling' });
  setCurrentDetails(`Telling the integrations of ${credentialId} that it was removed.`);
  await tellDeathOnce({ credentialId, provider, epoch, code: 'credential_deleted', httpStatus: null });

  setSearchAttributes({ Stage: 'revoking' });
  setCurrentDetails(`Revoking the grant at ${provider}; this is repeated while ${provider} is away.`);
  const revocation = await revoke(input);
  if (revocation === 'overtaken') return end('overtaken', revocation, 'Connected again meanwhile: nothing to remove.');

  const { outcome } = await removeCredential({ credentialId, epoch, revocation });
  return end(outcome, revocation, `The credential is ${outcome}; revocation: ${revocation}.`);
}

/** The tokens are not kept for ever for the sake of a provider that never answers. */
async function revoke({ credentialId, epoch, revokeWithinMs }: DeleteCredentialInput): Promise<RevocationOutcome> {
  const { revokeCredential } = proxyActivities<DeletionActivities>(revokeOptions(revokeWithinMs));
  try {
    return (await revokeCredential({ credentialId, epoch })).outcome;
  } catch (error) {
    if (error instanceof ActivityFailure) return 'unreachable';
    throw error;
  }
}

function end(
  outcome: DeleteCredentialResult['outcome'],
  revocation: RevocationOutcome,
  details: string,
): DeleteCredentialResult {
  setSearchAttributes({ Stage: 'ended', Outcome: outcome });
  setCurrentDetails(details);
  return { outcome, revocation };
}

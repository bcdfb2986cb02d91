import { ActivityFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { DeletionActivities, RevocationOutcome } from '../contracts/activities.js';
import type { DeleteCredentialInput, DeleteCredentialResult } from '../contracts/workflows.js';
import { invalidateWorkflowId } from '../contracts/workflow-ids.js';
import { recordOptions, revokeOptions } from './activity-options.js';
import { invalidate } from './invalidate.js';
import { setSearchAttributes } from './search-attributes.js';

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
  await tell(input);

  setSearchAttributes({ Stage: 'revoking' });
  setCurrentDetails(`Revoking the grant at ${provider}; this is repeated while ${provider} is away.`);
  const revocation = await revoke(input);
  if (revocation === 'overtaken') return end('overtaken', revocation, 'Connected again meanwhile: nothing to remove.');

  const { outcome } = await removeCredential({ credentialId, epoch, revocation });
  return end(outcome, revocation, `The credential is ${outcome}; revocation: ${revocation}.`);
}

async function tell({ credentialId, provider, epoch }: DeleteCredentialInput): Promise<void> {
  try {
    await executeChild(invalidate, {
      workflowId: invalidateWorkflowId(credentialId, epoch),
      args: [{ credentialId, provider, epoch, code: 'credential_deleted', httpStatus: null }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
  } catch (error) {
    // An earlier run of this very deletion told it.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
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

import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { keywords } from '../contracts/keywords.js';
import type { DeleteCredentialInput } from '../contracts/workflows.js';
import { deletionWorkflowId } from '../contracts/workflow-ids.js';

/** Starts the run, also where an earlier one ended without getting through; false when one is running. */
export async function startDeletion(client: Client, taskQueue: string, input: DeleteCredentialInput): Promise<boolean> {
  const { credentialId, provider, epoch } = input;
  try {
    await client.workflow.start('deleteCredential', {
      taskQueue,
      args: [input],
      workflowId: deletionWorkflowId(credentialId, epoch),
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      typedSearchAttributes: keywords({ Provider: provider, CredentialId: credentialId, Stage: 'telling' }),
      staticSummary: `Delete ${credentialId} of ${provider}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

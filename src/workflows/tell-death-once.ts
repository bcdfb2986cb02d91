import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { InvalidateInput, InvalidateResult } from '../contracts/workflows.js';
import { invalidateWorkflowId } from '../contracts/workflow-ids.js';
import { invalidate } from './invalidate.js';

/** Tells a death by the workflow that its epoch names: once, whoever finds it. `told`: somebody did, or is at it. */
export async function tellDeathOnce(input: InvalidateInput): Promise<InvalidateResult['outcome'] | 'told'> {
  try {
    const { outcome } = await executeChild(invalidate, {
      workflowId: invalidateWorkflowId(input.credentialId, input.epoch),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    });
    return outcome;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return 'told';
  }
}

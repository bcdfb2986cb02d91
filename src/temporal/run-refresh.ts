import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { keywords } from '../contracts/keywords.js';
import type { RefreshInput, RefreshResult } from '../contracts/workflows.js';
import { refreshedUpdateId, refreshedUpdateName, refreshWorkflowId } from '../contracts/workflow-ids.js';
import type { RefreshAnswer, RefreshStart } from './workflow-starter.js';

/** What every start of a refresh has in common. REJECT_DUPLICATE: one run for one generation and try, for ever. */
function refreshStart(taskQueue: string, input: RefreshInput) {
  const { credentialId, provider, generation, refreshTry } = input;
  return {
    taskQueue,
    args: [input] as [RefreshInput],
    workflowId: refreshWorkflowId(credentialId, generation, refreshTry),
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    typedSearchAttributes: keywords({ Provider: provider, CredentialId: credentialId, Stage: 'refreshing' }),
    staticSummary: `Refresh ${credentialId} at ${provider}, generation ${generation}`,
  };
}

/** Of updates, for one answer: the first, that of the minute, and the one after the wait that this told. */
const mostRounds = 3;

/**
 * Update-with-Start: starts the run, or joins it, and waits for what it has to tell. However many join, they give the same
 * update id, so that the run has one update. An update keeps its answer for ever: whoever is told of a wait that is over
 * asks by the update of this minute, and then by that of the wait. So a run has a few in a minute at most, and Temporal's
 * limit for one (2,000) is far. `closed`: the run is over and left no answer to this update; the row tells.
 *
 * Never throws for what Temporal does: out of reach is `timed_out`, as is a deadline; the run, if it began, goes on.
 */
export async function runRefresh(
  client: Client,
  taskQueue: string,
  input: RefreshInput,
  deadlineMs: number,
): Promise<RefreshAnswer> {
  const endsAt = Date.now() + deadlineMs;
  let updateId: string = refreshedUpdateId;
  for (let round = 1; ; round += 1) {
    const answer = await update(client, taskQueue, input, updateId, endsAt);
    if (answer.outcome !== 'pending' || Date.parse(answer.retryAt) > Date.now() || round === mostRounds) return answer;
    const distinction = round === 1 ? Math.floor(Date.now() / 60_000) : answer.retryAt;
    updateId = `${refreshedUpdateId}/${distinction}`;
  }
}

async function update(
  client: Client,
  taskQueue: string,
  input: RefreshInput,
  updateId: string,
  endsAt: number,
): Promise<RefreshAnswer> {
  try {
    return await client.withDeadline(endsAt, () =>
      client.workflow.executeUpdateWithStart<Workflow, RefreshResult, []>(refreshedUpdateName, {
        updateId,
        startWorkflowOperation: new WithStartWorkflowOperation('refresh', {
          ...refreshStart(taskQueue, input),
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error)) {
      return { outcome: 'timed_out' };
    }
    const isClosed =
      error instanceof WorkflowExecutionAlreadyStartedError || error instanceof WorkflowUpdateFailedError;
    if (isClosed) return { outcome: 'closed' };
    throw error;
  }
}

/** Starts the run without waiting for it. `closed`: it was over already. Throws what the client throws. */
export async function startRefresh(client: Client, taskQueue: string, input: RefreshInput): Promise<RefreshStart> {
  const start = refreshStart(taskQueue, input);
  try {
    await client.workflow.start('refresh', { ...start, workflowIdConflictPolicy: 'FAIL' });
    return 'started';
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { status } = await client.workflow.getHandle(start.workflowId).describe();
    return status.name === 'RUNNING' ? 'running' : 'closed';
  }
}

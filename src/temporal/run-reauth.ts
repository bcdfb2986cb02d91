import { type Client, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type Workflow } from '@temporalio/common';
import type { Connection, ReauthInput } from '../contracts/workflows.js';
import { connectedUpdateId, connectedUpdateName, reauthWorkflowId } from '../contracts/workflow-ids.js';
import { isErrorCode } from '../errors.js';
import { reauthStart } from './reauth-start.js';
import type { ReauthAnswer } from './workflow-starter.js';

/**
 * Update-with-Start, so that one round trip starts the run and waits for `connected`. Safe to repeat: the workflow id
 * and the update id are both constant per attempt, so a repeat attaches to the run, or reads the finished update.
 *
 * Two traps decide the shape. Without a deadline the client would wait for ever when no worker polls. And an update
 * that no worker had accepted is lost when Temporal restarts while the started run goes on: a repeat then finds a
 * closed run, which REJECT_DUPLICATE turns into "already started"; the session row tells its outcome.
 *
 * Never throws. Only a failure that the workflow itself named is the attempt's end. A run that was terminated or
 * cancelled fails its update too, with a type of Temporal's, and says nothing about the grant: the sweep starts it over.
 */
export async function runReauth(
  client: Client,
  taskQueue: string,
  input: ReauthInput,
  deadlineMs: number,
): Promise<ReauthAnswer> {
  try {
    const connection = await client.withDeadline(Date.now() + deadlineMs, () =>
      client.workflow.executeUpdateWithStart<Workflow, Connection, []>(connectedUpdateName, {
        updateId: connectedUpdateId,
        startWorkflowOperation: new WithStartWorkflowOperation('reauth', {
          ...reauthStart(taskQueue, input),
          workflowId: reauthWorkflowId(input.sessionId),
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        }),
      }),
    );
    return { kind: 'connected', ...connection };
  } catch (error) {
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    const code = cause instanceof ApplicationFailure ? cause.type : undefined;
    return isErrorCode(code) ? { kind: 'failed', code } : { kind: 'pending' };
  }
}

import { type Client, isGrpcServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { InvalidateInput, InvalidateResult, TestCredentialInput } from '../contracts/workflows.js';
import { invalidateWorkflowId, reauthWorkflowId, testWorkflowId } from '../contracts/workflow-ids.js';
import { RelinkError } from '../errors.js';
import { reauthStart } from './reauth-start.js';
import { runReauth } from './run-reauth.js';
import { keywords } from './start-options.js';
import type { WorkflowStarter } from './workflow-starter.js';

/** How long a start may take before Temporal counts as away. Milliseconds. */
const startDeadlineMs = 5_000;

export interface StarterSettings {
  readonly taskQueue: string;
  /** See ReauthInput. */
  readonly connectWithinMs: number;
}

export function createWorkflowStarter(client: Client, settings: StarterSettings): WorkflowStarter {
  const { taskQueue, connectWithinMs } = settings;
  const within = async <T>(deadlineMs: number, call: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + deadlineMs, call);
    } catch (error) {
      if (isGrpcServiceError(error)) throw new RelinkError('temporal_unavailable', undefined, { cause: error });
      throw error;
    }
  };

  return {
    runReauth: (target, deadlineMs) => runReauth(client, taskQueue, { ...target, connectWithinMs }, deadlineMs),

    startReauth: target =>
      within(startDeadlineMs, async () => {
        try {
          await client.workflow.start('reauth', {
            ...reauthStart(taskQueue, { ...target, connectWithinMs }),
            workflowId: reauthWorkflowId(target.sessionId),
            workflowIdConflictPolicy: 'FAIL',
            workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
          });
          return true;
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
          throw error;
        }
      }),

    startCredentialTest: (input: TestCredentialInput, generation: number) =>
      within(startDeadlineMs, async () => {
        await client.workflow.start('testCredential', {
          taskQueue,
          args: [input],
          workflowId: testWorkflowId(input.credentialId, generation),
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          typedSearchAttributes: keywords({
            Provider: input.provider,
            CredentialId: input.credentialId,
            Stage: 'testing',
          }),
          staticSummary: `Test ${input.credentialId} at ${input.provider}`,
        });
      }),

    runInvalidate: async (input: InvalidateInput, scope: string, deadlineMs: number) => {
      try {
        return await within(deadlineMs, () =>
          client.workflow.execute<(input: InvalidateInput) => Promise<InvalidateResult>>('invalidate', {
            taskQueue,
            args: [input],
            workflowId: invalidateWorkflowId(input.credentialId, input.epoch, scope),
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            staticSummary: `Tell the death of ${input.credentialId} to ${scope}`,
          }),
        );
      } catch (error) {
        if (error instanceof RelinkError) return null;
        throw error;
      }
    },

    check: async deadlineMs => {
      try {
        await within(deadlineMs, () => client.workflowService.getSystemInfo({}));
        return true;
      } catch {
        return false;
      }
    },
  };
}

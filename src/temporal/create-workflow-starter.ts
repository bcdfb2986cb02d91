import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import type {
  InvalidateInput,
  InvalidateResult,
  TestCredentialInput,
  TestCredentialResult,
  WebhooksInput,
  WebhooksResult,
} from '../contracts/workflows.js';
import {
  invalidateWorkflowId,
  reauthWorkflowId,
  testWorkflowId,
  wakeSignalName,
  webhooksWorkflowId,
} from '../contracts/workflow-ids.js';
import type { IntegrationId } from '../domain/ids.js';
import { RelinkError } from '../errors.js';
import { reauthStart } from './reauth-start.js';
import { runReauth } from './run-reauth.js';
import { startDeletion } from './start-deletion.js';
import { runRefresh, startRefresh } from './run-refresh.js';
import { keywords } from '../contracts/keywords.js';
import type { WorkflowStarter } from './workflow-starter.js';

/** How long a start may take before Temporal counts as away. Milliseconds. */
const startDeadlineMs = 5_000;

/** An idle run of `webhooks` waits this long for its next wake: a signal to a run costs less than a start. Milliseconds. */
const webhooksLingerMs = 5_000;
/** Events; far below the server's limits, so that every page of it opens quickly in the UI. */
const longestHistory = 2_000;

/** A provider that is away longer than this is not waited for to revoke a deleted grant. Milliseconds. */
const revokeWithinMs = 3 * 24 * 3_600_000;

export interface StarterSettings {
  readonly taskQueue: string;
  /** See ReauthInput. */
  readonly connectWithinMs: number;
  /** What a token request may take; an answer can come for a while longer. Milliseconds. */
  readonly refreshTimeoutMs: number;
  readonly refreshGiveUpAfterMs: number;
}

/** What a request may be under way beyond its own timeout, on either side of the wire. Milliseconds. */
const settleMarginMs = 2_000;
const refreshWaits = { firstWaitMs: 1_000, longestWaitMs: 5 * 60_000 };

export function createWorkflowStarter(client: Client, settings: StarterSettings): WorkflowStarter {
  const { taskQueue, connectWithinMs, refreshTimeoutMs, refreshGiveUpAfterMs } = settings;
  const waits = {
    ...refreshWaits,
    settleMs: refreshTimeoutMs + settleMarginMs,
    giveUpAfterMs: refreshGiveUpAfterMs,
  };
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

    runRefresh: (target, deadlineMs) => runRefresh(client, taskQueue, { ...target, ...waits }, deadlineMs),

    startRefresh: target => within(startDeadlineMs, () => startRefresh(client, taskQueue, { ...target, ...waits })),

    startCredentialTest: (input: TestCredentialInput, generation: number) =>
      within(startDeadlineMs, async () => {
        await client.workflow.start('testCredential', testStart(taskQueue, input, generation));
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

    wakeWebhooks: (integrationId: IntegrationId) =>
      within(startDeadlineMs, async () => {
        await client.workflow.signalWithStart<(input: WebhooksInput) => Promise<WebhooksResult>>('webhooks', {
          taskQueue,
          args: [{ integrationId, lingerMs: webhooksLingerMs, continueAfterEvents: longestHistory }],
          workflowId: webhooksWorkflowId(integrationId),
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          signal: wakeSignalName,
          typedSearchAttributes: keywords({ IntegrationId: integrationId, Stage: 'starting' }),
          staticSummary: `Deliveries of ${integrationId}`,
        });
      }),

    runCredentialTest: async (input: TestCredentialInput, generation: number, deadlineMs: number) => {
      try {
        const { outcome } = await within(deadlineMs, () =>
          client.workflow.execute<(input: TestCredentialInput) => Promise<TestCredentialResult>>(
            'testCredential',
            testStart(taskQueue, input, generation),
          ),
        );
        return outcome;
      } catch (error) {
        // A test that failed, as for a key that is missing, has no outcome either.
        if (error instanceof RelinkError || error instanceof WorkflowFailedError) return null;
        throw error;
      }
    },

    startDeletion: target =>
      within(startDeadlineMs, () => startDeletion(client, taskQueue, { ...target, revokeWithinMs })),

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

/** One test per generation at a time: whoever asks meanwhile joins it. */
function testStart(taskQueue: string, input: TestCredentialInput, generation: number) {
  const { provider, credentialId } = input;
  return {
    taskQueue,
    args: [input] as [TestCredentialInput],
    workflowId: testWorkflowId(credentialId, generation),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    typedSearchAttributes: keywords({ Provider: provider, CredentialId: credentialId, Stage: 'testing' }),
    staticSummary: `Test ${credentialId} at ${provider}`,
  };
}

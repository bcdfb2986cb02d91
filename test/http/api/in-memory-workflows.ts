import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../../src/activities/create-activities.js';
import type { ActivityDependencies } from '../../../src/activities/dependencies.js';
import type { Activities } from '../../../src/contracts/activities.js';
import type { InvalidateInput, TestCredentialInput } from '../../../src/contracts/workflows.js';
import { createCredentialRefresher } from '../../../src/credentials/create-credential-refresher.js';
import { createClientFaults } from '../../../src/credentials/create-client-faults.js';
import { createProviderBreakers } from '../../../src/credentials/provider-breakers.js';
import { RunningWork } from '../../../src/credentials/running-work.js';
import { RelinkError } from '../../../src/errors.js';
import type { ReauthAnswer, ReauthTarget, WorkflowStarter } from '../../../src/temporal/workflow-starter.js';

/** Failures are what some tests are about; their retries would fill the output. */
const logger = new DefaultLogger('ERROR');

export interface InMemoryWorkflows extends WorkflowStarter {
  /** Temporal is out of reach while this is true: nothing starts, nothing answers. */
  isDown: boolean;
  /** Every session whose reauth was started, once each. */
  readonly reauths: string[];
  /** A reauth's last step once more, as when it comes late. */
  restore(input: Parameters<Activities['restoreIntegrationStatuses']>[0]): Promise<unknown>;
  /** Resolves when every run has ended, its restore included. */
  settled(): Promise<void>;
  readonly tests: { readonly input: TestCredentialInput; readonly generation: number }[];
  /** Integrations whose consumers were woken, in order. */
  readonly wakes: string[];
  /** `<credential>/<epoch>` of every deletion that was started. */
  readonly deletions: string[];
  readonly invalidations: { readonly input: InvalidateInput; readonly scope: string }[];
}

/**
 * Temporal's part, played in this process: one run per workflow id, the real activities in their order. The workflows
 * themselves are tested on a real Temporal server elsewhere.
 */
export function createInMemoryWorkflows(
  dependencies: Omit<
    ActivityDependencies,
    'workflows' | 'handlers' | 'requests' | 'refresher' | 'refreshes' | 'breakers' | 'clientFaults'
  >,
): InMemoryWorkflows {
  const restores: Promise<unknown>[] = [];
  const deletions: Promise<unknown>[] = [];
  const runs = new Map<string, Promise<ReauthAnswer>>();
  const run = <Input, Output>(activity: (input: Input) => Promise<Output>, input: Input): Promise<Output> =>
    new MockActivityEnvironment({}, { logger }).run(activity, input);

  async function reauth({ sessionId }: ReauthTarget): Promise<ReauthAnswer> {
    try {
      const { credentialId, epoch } = await retry(() => run(activities.persistCredential, { sessionId }));
      const { entityId } = await run(activities.upsertEntity, { sessionId, credentialId });
      const restored = { sessionId, credentialId, entityId, epoch, optIn: true };
      restores.push(retry(() => run(activities.restoreIntegrationStatuses, restored)));
      return { kind: 'connected', credentialId, entityId };
    } catch (error) {
      return { kind: 'failed', code: error instanceof RelinkError ? error.code : 'internal' };
    }
  }

  function attach(input: ReauthTarget): Promise<ReauthAnswer> {
    const running = runs.get(input.sessionId) ?? reauth(input);
    if (!runs.has(input.sessionId)) workflows.reauths.push(input.sessionId);
    runs.set(input.sessionId, running);
    return running;
  }

  const workflows: InMemoryWorkflows = {
    isDown: false,
    reauths: [],
    tests: [],
    invalidations: [],
    deletions: [],
    wakes: [],
    runReauth: async (input, deadlineMs) => {
      const late = sleep(deadlineMs, { kind: 'pending' } as const, { ref: false });
      return workflows.isDown ? await late : await Promise.race([attach(input), late]);
    },
    startReauth: async input => {
      if (workflows.isDown) throw new RelinkError('temporal_unavailable');
      const isNew = !runs.has(input.sessionId);
      void attach(input);
      return isNew;
    },
    // Refreshing is tested on a real Temporal server, as workflows are.
    runRefresh: async () => ({ outcome: 'timed_out' }),
    startRefresh: async () => {
      if (workflows.isDown) throw new RelinkError('temporal_unavailable');
      return 'started';
    },
    startCredentialTest: async (input, generation) => {
      if (workflows.isDown) throw new RelinkError('temporal_unavailable');
      workflows.tests.push({ input, generation });
    },
    runInvalidate: async (input, scope) => {
      if (workflows.isDown) return null;
      workflows.invalidations.push({ input, scope });
      const { causeEpoch } = await run(activities.markCredentialInvalid, input);
      if (causeEpoch === null) return { outcome: 'overtaken', errors: 0 };
      const { credentialId } = input;
      const { errors } = await run(activities.addCauses, { credentialId, causeEpoch });
      await run(activities.withdrawOvertakenCauses, { credentialId, causeEpoch });
      return { outcome: 'invalidated', errors };
    },
    startDeletion: async ({ credentialId, provider, epoch }) => {
      if (workflows.isDown) throw new RelinkError('temporal_unavailable');
      workflows.deletions.push(`${credentialId}/${epoch}`);
      const code = 'credential_deleted';
      await workflows.runInvalidate({ credentialId, provider, epoch, code, httpStatus: null }, 'deletion', 0);
      deletions.push(
        retry(() => run(activities.revokeCredential, { credentialId, epoch })).then(({ outcome }) =>
          run(activities.removeCredential, { credentialId, epoch, revocation: outcome }),
        ),
      );
      return true;
    },
    wakeWebhooks: async id => {
      if (workflows.isDown) throw new RelinkError('temporal_unavailable');
      workflows.wakes.push(id);
    },
    runCredentialTest: async (input, generation) => {
      workflows.tests.push({ input, generation });
      return null;
    },
    check: async () => !workflows.isDown,
    restore: input => run(activities.restoreIntegrationStatuses, input),
    settled: async () => {
      await Promise.all(runs.values());
      await Promise.all([...restores, ...deletions]);
    },
  };
  const activities = createActivities({
    ...dependencies,
    ...noHandlers,
    workflows,
    refresher: createCredentialRefresher({ store: dependencies.store, workflows }),
    refreshes: new RunningWork(),
    breakers: createProviderBreakers(dependencies.log),
    clientFaults: createClientFaults(),
  });
  return workflows;
}

/** Deliveries are worked through elsewhere, on a real Temporal server. */
const noHandlers: Pick<ActivityDependencies, 'handlers' | 'requests'> = {
  handlers: {
    isBuiltIn: () => false,
    run: () => Promise.reject(new Error('no handler runs here')),
    runInTurn: () => Promise.reject(new Error('no handler runs here')),
    close: () => Promise.resolve(),
  },
  requests: {
    servicesFor: () => {
      throw new Error('no handler runs here');
    },
  },
};

/** As the workflow's retry policy does, only faster: what may pass is tried again. */
async function retry<Result>(activity: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await activity();
    } catch (error) {
      if (!(error instanceof RelinkError) || !error.retryable) throw error;
      await sleep(100);
    }
  }
}

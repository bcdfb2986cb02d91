import { Context } from '@temporalio/activity';
import type { Activities } from '../../contracts/activities.js';
import { retryDelayMs } from '../../domain/delivery.js';
import { webhookPolicyOf, type EnsuredSubscription } from '../../integrations/definition.js';
import { changeIntegration } from '../../integrations/change-integration.js';
import type { HandlerAnswer, HandlerTask } from '../../handlers/handler-host.js';
import type { Integration, Subscription, SubscriptionWrite } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import { Secret } from '../../vault/secret.js';
import type { ActivityDependencies } from '../dependencies.js';
import { describeHandlerFacts } from './describe-handler-facts.js';
import { findDuePreparation } from './find-due-preparation.js';

const none: Omit<Subscription, 'integrationId'> = {
  sealedSecrets: null,
  expiresAt: null,
  dueAt: null,
  failure: null,
  version: 0,
};

/**
 * Ensures the subscription, then tells the integration that it is back. Both hooks may run again after a crash, and are
 * asked to be idempotent. A failure is written beside the subscription, where the API shows it, and tried again later.
 */
export function prepareIntegration(dependencies: ActivityDependencies): Activities['prepareIntegration'] {
  const { store, integrations, log, now } = dependencies;
  return async ({ integrationId }) => {
    const heart = setInterval(() => Context.current().heartbeat(), 2_000);
    try {
      const integration = await store.getIntegration(integrationId);
      if (integration === null) return { subscription: 'not_due', resumed: false };
      const definition = integrations.find(integration.type);
      const known = await store.getSubscription(integrationId);
      const hadFailed = (known?.failure ?? null) !== null;
      const due = findDuePreparation(definition, integration, known, now());

      let failed: string | null = null;
      let ensured: EnsuredSubscription | null | undefined;
      if (due.subscription) {
        const answer = await runHook(dependencies, integration, { kind: 'ensure_subscription' });
        if (answer.kind === 'done') ensured = answer.subscription;
        else failed = `ensureSubscription: ${answer.detail ?? answer.kind}`;
      }
      const { resumeSince } = integration;
      let resumed = false;
      if (due.resume && failed === null && resumeSince !== null) {
        if (definition?.onReconnected === undefined) resumed = true;
        else {
          const since = resumeSince.toISOString();
          const answer = await runHook(dependencies, integration, { kind: 'reconnected', since });
          if (answer.kind === 'done') resumed = true;
          else failed = `onReconnected: ${answer.detail ?? answer.kind}`;
        }
      }

      // A failure of the hook for coming back is over once that hook ran; what did not run leaves it as it is.
      if (failed !== null || due.subscription || (hadFailed && resumed)) {
        await record(dependencies, integration, known, ensured, failed);
      }
      if (failed !== null && !hadFailed) {
        log.warn({ integrationId, detail: failed }, `Integration ${integrationId} could not be prepared: ${failed}`);
      }
      if (resumed) {
        await changeIntegration(
          store,
          integrationId,
          (state, row) =>
            row.resumeSince?.getTime() === resumeSince?.getTime() ? { state, resumeSince: null } : state,
          now,
        );
      }
      const subscription = !due.subscription ? 'not_due' : failed === null || resumed ? 'ensured' : 'failed';
      return { subscription, resumed };
    } finally {
      clearInterval(heart);
    }
  };
}

async function runHook(
  dependencies: ActivityDependencies,
  integration: Integration,
  task: Exclude<HandlerTask, { kind: 'webhook' }>,
): Promise<HandlerAnswer & { readonly detail?: string | null }> {
  const { handlers, integrations, requests } = dependencies;
  const signal = Context.current().cancellationSignal;
  const facts = await describeHandlerFacts(dependencies, integration, `${integration.id}/${task.kind}`, 1);
  const { timeoutMs } = webhookPolicyOf(integrations.find(integration.type));
  return await handlers.run(
    { type: integration.type, task, facts, timeoutMs, alone: false },
    requests.servicesFor(integration, signal),
    signal,
  );
}

/** At three quarters of the rest of its life: the last quarter is for tries that fail. */
function renewAt(expiresAt: Date, at: Date): Date {
  return new Date(at.getTime() + Math.max((expiresAt.getTime() - at.getTime()) * 0.75, 60_000));
}

/** @param ensured What the hook brought; undefined when it was not run, or failed. */
async function record(
  { store, vault, integrations, now }: ActivityDependencies,
  integration: Integration,
  known: Subscription | null,
  ensured: EnsuredSubscription | null | undefined,
  failed: string | null,
): Promise<void> {
  const { sealedSecrets, expiresAt, failure, version } = known ?? none;
  const at = now();
  const until = ensured === undefined ? expiresAt : (ensured?.expiresAt ?? null);
  const hasHook = integrations.find(integration.type)?.ensureSubscription !== undefined;
  const text = JSON.stringify(ensured?.secrets ?? []);
  const write: SubscriptionWrite = {
    sealedSecrets:
      ensured === undefined ? sealedSecrets : vault.seal(new Secret(text), subscriptionSecretsBinding(integration.id)),
    expiresAt: until,
    dueAt: hasHook && until !== null ? renewAt(until, at) : null,
    failure: null,
  };
  // Lost to another writer (a handshake's secret): the next look finds it due again.
  await store.compareAndSetSubscription(
    integration.id,
    version,
    failed === null ? write : { ...write, ...noteFailure(failure, failed, at) },
  );
}

function noteFailure(
  before: Subscription['failure'],
  failed: string,
  at: Date,
): Pick<SubscriptionWrite, 'dueAt' | 'failure'> {
  const tries = (before?.tries ?? 0) + 1;
  const waitMs = Math.max(retryDelayMs(tries, Math.random()), 10_000);
  return {
    dueAt: new Date(at.getTime() + waitMs),
    failure: { detail: failed.slice(0, 300), since: before?.since ?? at, tries },
  };
}

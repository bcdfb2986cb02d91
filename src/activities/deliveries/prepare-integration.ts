import { isDeepStrictEqual } from 'node:util';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../contracts/activities.js';
import { retryDelayMs } from '../../domain/delivery.js';
import { webhookPolicyOf, type EnsuredSubscription } from '../../integrations/definition.js';
import { changeIntegration } from '../../integrations/change-integration.js';
import { changeSubscription } from '../../integrations/change-subscription.js';
import { isStateAtWork } from '../../integrations/gate-of.js';
import type { HandlerAnswer, HandlerTask } from '../../handlers/handler-host.js';
import type { Integration, Subscription, SubscriptionWrite } from '../../store/port/store.js';
import { subscriptionSecretsBinding } from '../../vault/bindings.js';
import { Secret } from '../../vault/secret.js';
import { encodeSecrets } from '../../vault/subscription-secrets-codec.js';
import type { ActivityDependencies } from '../dependencies.js';
import { describeHandlerFacts } from './describe-handler-facts.js';
import { findDuePreparation, findSeriesStart } from './find-due-preparation.js';
import { joinSecrets } from './join-secrets.js';

const shortestWaitMs = 10_000;

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
      const startedAt = now();
      const due = findDuePreparation(definition, integration, known, startedAt);

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
        await record(dependencies, integration, known, ensured, failed === null ? null : { detail: failed, startedAt });
      }
      if (failed !== null && !hadFailed) {
        log.warn({ integrationId, detail: failed }, `Integration ${integrationId} could not be prepared: ${failed}`);
      }
      if (resumed) resumed = await noteResumed(dependencies, integration);
      const subscription = !due.subscription ? 'not_due' : ensured === undefined ? 'failed' : 'ensured';
      return { subscription, resumed };
    } finally {
      clearInterval(heart);
    }
  };
}

/**
 * Nothing is left to make up for, unless the integration was cut off once more while its hook ran: then the mark stays,
 * also where it is back already, and whoever puts it back wakes it. A credential's news count as such a cut even if they
 * closed nothing: the hook may run once more, but no outage is passed over.
 *
 * @returns Whether the mark was taken off.
 */
async function noteResumed({ store, now }: ActivityDependencies, before: Integration): Promise<boolean> {
  const change = await changeIntegration(
    store,
    before.id,
    (state, row) => {
      const isSame =
        row.resumeSince?.getTime() === before.resumeSince?.getTime() &&
        row.statusSince.getTime() === before.statusSince.getTime() &&
        isDeepStrictEqual(state.epochs, before.state.epochs);
      return isSame && isStateAtWork(state) ? { state, resumeSince: null } : state;
    },
    now,
  );
  return change !== null && change.before !== change.after;
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

/**
 * Secrets that the hook does not bring are left as they are: a handshake may have brought them, before or meanwhile.
 * Those that the hook does bring replace the ones known before it ran. Those that came while it ran stay beside them, and
 * the hook is due soon: what it brings then, with nobody else at it, counts alone. This holds for an attempt that was
 * given up on too, since its registration at the provider may have been the last.
 *
 * @param ensured What the hook brought; undefined when it was not run, or failed.
 */
async function record(
  { store, vault, integrations, now }: ActivityDependencies,
  integration: Integration,
  before: Subscription | null,
  ensured: EnsuredSubscription | null | undefined,
  failed: FailedTry | null,
): Promise<void> {
  const { id, type } = integration;
  const at = now();
  const hasHook = integrations.find(type)?.ensureSubscription !== undefined;
  const secrets = (ensured?.secrets ?? []).map(secret => new Secret(secret));
  const binding = subscriptionSecretsBinding(id);
  const seal = (some: readonly Secret[]) => vault.seal(encodeSecrets(some), binding);
  const brought = secrets.length === 0 ? null : seal(secrets);
  await changeSubscription(store, id, (known): SubscriptionWrite | null => {
    // Deleted meanwhile, together with its integration.
    if (known === null && before !== null) return null;
    const expiresAt = ensured === undefined ? (known?.expiresAt ?? null) : (ensured?.expiresAt ?? null);
    const theirs = known?.sealedSecrets ?? null;
    const renewedAt = expiresAt === null ? null : renewAt(expiresAt, at);
    const write = {
      sealedSecrets: brought ?? theirs,
      expiresAt,
      // Without the hook here, another worker may have it: what is due stays due to that one.
      dueAt: hasHook ? renewedAt : (known?.dueAt ?? null),
      failure: null,
    };
    if (brought !== null && theirs !== null && theirs !== before?.sealedSecrets) {
      const joined = joinSecrets(secrets, () => vault.open(theirs, binding));
      write.sealedSecrets = seal(joined.secrets);
      if (joined.isContested) write.dueAt = new Date(at.getTime() + shortestWaitMs);
    }
    return failed === null ? write : { ...write, ...noteFailure(integration, known?.failure ?? null, failed, at) };
  });
}

interface FailedTry {
  readonly detail: string;
  readonly startedAt: Date;
}

/**
 * A new series is dated from the start of its first try, so that a comeback while that ran counts as one that was not
 * tried yet; and never from before the comeback that it was made for, whatever the clocks say: that would be tried on and on.
 */
function noteFailure(
  integration: Integration,
  before: Subscription['failure'],
  { detail, startedAt }: FailedTry,
  at: Date,
): Pick<SubscriptionWrite, 'dueAt' | 'failure'> {
  const start = findSeriesStart(integration);
  const series = before !== null && before.since >= start ? before : null;
  const since = series?.since ?? (startedAt > start ? startedAt : start);
  const tries = (series?.tries ?? 0) + 1;
  const waitMs = Math.max(retryDelayMs(tries, Math.random()), shortestWaitMs);
  return {
    dueAt: new Date(at.getTime() + waitMs),
    failure: { detail: detail.slice(0, 300), since, tries },
  };
}

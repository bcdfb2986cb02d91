import { isDeepStrictEqual } from 'node:util';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../contracts/activities.js';
import { webhookPolicyOf, type EnsuredSubscription } from '../../integrations/definition.js';
import { changeIntegration } from '../../integrations/change-integration.js';
import { isStateAtWork } from '../../integrations/gate-of.js';
import type { HandlerAnswer, HandlerTask } from '../../handlers/handler-host.js';
import type { Integration } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';
import { beatWhileHooksRun, type HookHeart } from './beat-while-hooks-run.js';
import { describeHandlerFacts } from './describe-handler-facts.js';
import { findDuePreparation } from './find-due-preparation.js';
import { recordPreparation } from './record-preparation.js';

/**
 * Ensures the subscription, then tells the integration that it is back. Both hooks may run again after a crash, and are
 * asked to be idempotent. A failure is written beside the subscription, where the API shows it, and tried again later.
 */
export function prepareIntegration(dependencies: ActivityDependencies): Activities['prepareIntegration'] {
  const { store, integrations, log, now } = dependencies;
  return async ({ integrationId }) => {
    const heart = beatWhileHooksRun(Context.current());
    try {
      const integration = await store.getIntegration(integrationId);
      if (integration === null) return { subscription: 'not_due', resumed: false };
      const definition = integrations.find(integration.type);
      const known = await store.getSubscription(integrationId);
      const hadFailed = (known?.failure ?? null) !== null;
      const startedAt = now();
      const due = findDuePreparation(definition, integration, known, startedAt);

      const hasSecondHook = due.resume && definition?.onReconnected !== undefined;
      let failed = describeLost(heart, due.subscription, hasSecondHook);
      let ensured: EnsuredSubscription | null | undefined;
      if (due.subscription && failed === null) {
        const answer = await runHook(dependencies, heart, integration, { kind: 'ensure_subscription' });
        if (answer.kind === 'done') ensured = answer.subscription;
        else failed = `ensureSubscription: ${answer.detail ?? answer.kind}`;
        // A worker that ends in the second hook loses nothing of what the first one brought.
        if (ensured !== undefined && hasSecondHook)
          await recordPreparation(dependencies, integration, known, ensured, 'open');
      }
      const { resumeSince } = integration;
      let resumed = false;
      if (due.resume && failed === null && resumeSince !== null) {
        if (hasSecondHook) {
          const since = resumeSince.toISOString();
          const answer = await runHook(dependencies, heart, integration, { kind: 'reconnected', since });
          if (answer.kind === 'done') resumed = true;
          else failed = `onReconnected: ${answer.detail ?? answer.kind}`;
        } else resumed = true;
      }

      // A failure of the hook for coming back is over once that hook ran; what did not run leaves it as it is.
      if (failed !== null || (due.subscription && !hasSecondHook) || (hadFailed && resumed)) {
        const end = failed === null ? null : { detail: failed, startedAt };
        await recordPreparation(dependencies, integration, known, hasSecondHook ? undefined : ensured, end);
      }
      if (failed !== null && !hadFailed) {
        log.warn({ integrationId, detail: failed }, `Integration ${integrationId} could not be prepared: ${failed}`);
      }
      if (resumed) resumed = await noteResumed(dependencies, integration);
      const subscription = !due.subscription ? 'not_due' : ensured === undefined ? 'failed' : 'ensured';
      return { subscription, resumed };
    } finally {
      heart.stop();
    }
  };
}

/** Names all hooks that are due: which of them ended the workers may not have been heard. */
function describeLost({ whyNotAgain }: HookHeart, isEnsureDue: boolean, isReconnectedDue: boolean): string | null {
  if (whyNotAgain === null || !(isEnsureDue || isReconnectedDue)) return null;
  const hooks = [...(isEnsureDue ? ['ensureSubscription'] : []), ...(isReconnectedDue ? ['onReconnected'] : [])];
  return `${hooks.join(' or ')}: ${whyNotAgain}`;
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
  heart: HookHeart,
  integration: Integration,
  task: Exclude<HandlerTask, { kind: 'webhook' }>,
): Promise<HandlerAnswer & { readonly detail?: string | null }> {
  const { handlers, integrations, requests } = dependencies;
  const signal = Context.current().cancellationSignal;
  const facts = await describeHandlerFacts(dependencies, integration, `${integration.id}/${task.kind}`, 1);
  const { timeoutMs } = webhookPolicyOf(integrations.find(integration.type));
  const call = { type: integration.type, task, facts, timeoutMs, alone: false };
  return await heart.run(() => handlers.run(call, requests.servicesFor(integration, signal), signal));
}

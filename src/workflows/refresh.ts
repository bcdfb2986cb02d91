import { ActivityFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  patched,
  proxyActivities,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import type { ReauthActivities } from '../contracts/activities.js';
import type { PostRefreshResult, RefreshActivities } from '../contracts/refresh-activities.js';
import type { RefreshInput, RefreshResult } from '../contracts/workflows.js';
import { postOptions, recordOptions, restoreOptions } from './activity-options.js';
import { answerRefreshed, pendingUntil, type RefreshedAnswers } from './answer-refreshed.js';
import { failureCode } from './failure-code.js';
import { setSearchAttributes } from './search-attributes.js';
import { tellDeathOnce } from './tell-death-once.js';

const { postRefresh } = proxyActivities<RefreshActivities>(postOptions);
const { raiseRefreshTry } = proxyActivities<RefreshActivities>(recordOptions);
const { restoreIntegrationStatuses } = proxyActivities<ReauthActivities>(restoreOptions);

/** When the sweep begins the next run after one that gave up; an operator's mending takes longer. Milliseconds. */
const nextRunInMs = { pending: 5 * 60_000, operator_fault: 15 * 60_000 };

/**
 * Refreshes one generation of a credential, once for all callers, who join by the update. Every step is one token POST
 * at most; what to do about its answer is decided here, by its meaning:
 *
 * - transient, rate limited: wait, and the same again;
 * - unknown: the answer, and with it new tokens, may be lost. Wait until no answer can come any more, then a guarded
 *   retry with the same refresh token; only a refusal of that is a death, under a cause that accuses nobody;
 * - definitive: tell the death;
 * - the operator's fault: tell it as such, and let the sweep try again.
 *
 * The run that gives up raises the try last: from then on another may begin.
 */
export async function refresh(input: RefreshInput): Promise<RefreshResult> {
  const answers = answerRefreshed();
  const result = await run(input, answers);
  answers.end(result);
  setSearchAttributes({ Stage: 'ended', Outcome: result.outcome });
  await condition(allHandlersFinished);
  return result;
}

async function run(input: RefreshInput, answers: RefreshedAnswers): Promise<RefreshResult> {
  const { credentialId, provider, generation, settleMs } = input;
  const startedAt = Date.now();
  let openPost: number | null = null;
  for (let step = 0; ; step += 1) {
    setCurrentDetails(openPost === null ? `Refreshing at ${provider}.` : `Guarded retry at ${provider}: same token.`);
    let posted: PostRefreshResult;
    try {
      posted = await postRefresh({ credentialId, generation, openPost });
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // Nothing was asked of the provider, so nothing is told of the credential.
      return await giveUp(input, 'operator_fault', { reason: failureCode(error, 'internal'), httpStatus: null });
    }
    switch (posted.kind) {
      case 'refreshed':
        return await end(input, posted);
      case 'dead':
      case 'gone':
      case 'not_refreshable':
        setCurrentDetails(`No request was made: the credential is ${posted.kind}.`);
        return { outcome: posted.kind };
      case 'operator_fault':
      case 'definitive': {
        const told = await tell(input, posted);
        // A reconnect, or another event, came first: look at the credential again.
        if (told === 'overtaken') continue;
        if (posted.kind === 'operator_fault') {
          return await giveUp(input, 'operator_fault', { ...posted, reason: 'client_rejected' });
        }
        setCurrentDetails(`${provider} refused the refresh (HTTP ${posted.httpStatus}): the grant is dead, and told.`);
        return { outcome: 'dead' };
      }
      case 'transient':
      case 'rate_limited':
      case 'unknown':
      case 'found': {
        openPost = posted.openPost;
        const settles = posted.kind === 'found' || (posted.kind === 'unknown' && patched('an-unknown-answer-settles'));
        const leastMs = Math.max(settles ? settleMs : 0, posted.retryAfterMs ?? 0);
        const waitMs = Math.round(Math.max(posted.kind === 'found' ? 0 : waitOf(input, step), leastMs));
        const givesUp = Date.now() - startedAt > input.giveUpAfterMs;
        // A time that the provider asks for binds the next run too: it is kept before that may begin.
        if (givesUp && (posted.retryAfterMs === null || !patched('a-run-gives-up-after-its-wait'))) {
          return await giveUp(input, 'pending', posted);
        }
        answers.beginWait(waitMs);
        if (step === 0) setSearchAttributes({ Stage: 'waiting' });
        setCurrentDetails(`${posted.kind} at ${provider}: ${posted.reason}. The next step comes in ${waitMs} ms.`);
        await sleep(waitMs);
        answers.endWait();
        if (givesUp) return await giveUp(input, 'pending', posted);
      }
    }
  }
}

/** Twice as long each time, and spread, so that what an outage stopped does not come back all at once. */
function waitOf({ firstWaitMs, longestWaitMs }: RefreshInput, step: number): number {
  return Math.min(firstWaitMs * 2 ** step, longestWaitMs) * (0.8 + Math.random() * 0.4);
}

/** A passed refresh heals what a cause of this credential still holds, as a passed test does. */
async function end(
  { credentialId, provider }: RefreshInput,
  { generation, epoch, causesOpen }: Extract<PostRefreshResult, { kind: 'refreshed' }>,
): Promise<RefreshResult> {
  setCurrentDetails(`Refreshed at ${provider}: generation ${generation} is stored.`);
  if (causesOpen) {
    setSearchAttributes({ Stage: 'restoring' });
    await restoreIntegrationStatuses({ sessionId: null, credentialId, entityId: null, epoch, optIn: false });
  }
  return { outcome: 'refreshed', generation };
}

type Refusal = Extract<PostRefreshResult, { authIsValid: boolean }>;

async function tell(
  { credentialId, provider }: RefreshInput,
  { kind, epoch, httpStatus, authIsValid, providerError, openPost }: Refusal,
) {
  // A rejected client is told once; the death of the grant itself is told over it.
  if (!authIsValid && (kind === 'operator_fault' || !patched('a-rejected-client-can-die'))) return 'told';
  const refusal = openPost === null ? 'refresh_refused' : 'refresh_outcome_unknown';
  const code = kind === 'operator_fault' ? 'client_rejected' : refusal;
  return await tellDeathOnce({ credentialId, provider, epoch, code, httpStatus, providerError });
}

async function giveUp(
  input: RefreshInput,
  outcome: 'pending' | 'operator_fault',
  { reason, httpStatus }: { readonly reason: string; readonly httpStatus: number | null },
): Promise<RefreshResult> {
  const { credentialId, provider, generation, refreshTry } = input;
  const dueInMs = nextRunInMs[outcome];
  setCurrentDetails(`Given up: ${reason}. Another run may begin; the sweep begins one in ${dueInMs} ms.`);
  const gaveUp = { provider, outcome, reason, httpStatus };
  await raiseRefreshTry({ credentialId, generation, refreshTry, dueInMs, gaveUp });
  return outcome === 'pending' ? pendingUntil(dueInMs) : { outcome };
}

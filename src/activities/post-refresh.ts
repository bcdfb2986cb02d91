import { Context } from '@temporalio/activity';
import type { Activities } from '../contracts/activities.js';
import type { PostRefreshResult } from '../contracts/refresh-activities.js';
import { openTokens } from '../credentials/open-tokens.js';
import { judgeRefresh } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import type { Provider } from '../providers/configure-provider.js';
import type { TokenSet } from '../providers/definition.js';
import { refreshTokens, type RefreshAnswer } from '../providers/refresh-tokens.js';
import { resolveEndpoint } from '../providers/resolve-endpoint.js';
import type { Credential } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';
import { revokeOvertaken } from './revoke-overtaken.js';
import { storeRefreshed } from './store-refreshed.js';
import { writeUntilStored } from './write-until-stored.js';

const heartbeatMs = 2_000;
/** Well below the silence after which a worker counts as dead (postOptions) and its successor may be at the same grant. */
const longestMarkingMs = 2_000;

/**
 * Marks, posts, stores. The mark is a conditional write before the request: of all attempts that ever run, in whatever
 * process, one holds the right to this POST. Whoever finds it set and unanswered asks nobody: the provider may have
 * rotated the token for an attempt that died. An attempt that stood still after its mark (a frozen process, a database
 * that took its time) may have been given up meanwhile, so it does not post either.
 *
 * Between the answer and its write nothing happens that could fail but the write itself, which is repeated for as long
 * as this worker lives, and one that is asked to stop lives until then. A worker killed in between leaves the mark, and the
 * guarded retry finds out.
 */
export function postRefresh(dependencies: ActivityDependencies): Activities['postRefresh'] {
  return async input => {
    const beat = setInterval(() => Context.current().heartbeat(), heartbeatMs);
    try {
      return await dependencies.refreshes.run(() => post(dependencies, input));
    } finally {
      clearInterval(beat);
    }
  };
}

async function post(
  dependencies: ActivityDependencies,
  input: Parameters<Activities['postRefresh']>[0],
): Promise<PostRefreshResult> {
  const { store, vault, providers, breakers, settings, log, now } = dependencies;
  const { credentialId, generation, openPost } = input;
  const credential = await store.getCredential(credentialId);
  const standing = await readStanding(dependencies, credential, generation);
  if (standing !== null || credential === null) return standing ?? { kind: 'gone' };
  if (credential.refreshPostedAt !== null && credential.refreshPosts !== openPost) {
    const left = found(credential);
    if (openPost === null) tellLost(dependencies, credential, left.reason);
    return left;
  }

  const provider = providers.get(credential.provider);
  const held = openTokens(vault, credential);
  // Before the breaker is asked: a probe that is not sent would leave everybody waiting for its news.
  if (!hasEndpoint(provider, held)) {
    return { kind: 'transient', httpStatus: null, reason: 'host_not_allowed', retryAfterMs: null, openPost };
  }
  const { waitMs, isProbe } = breakers.admit(credential.provider, credentialId);
  if (waitMs !== null) {
    return { kind: 'transient', httpStatus: null, reason: 'outage', retryAfterMs: waitMs, openPost };
  }
  const clock = startClock(now);
  const marked = await store.markRefreshPosted(credentialId, generation, credential.refreshPosts, now());
  if (marked === null) {
    // Somebody else's mark, or news: the next look tells which.
    throw new RelinkError('write_conflict', `refresh of ${credentialId}`);
  }

  if (clock() > longestMarkingMs) throw new RelinkError('write_conflict', `refresh of ${credentialId}`);
  const issuedAt = now();
  const answer = await refreshTokens(provider, held, { timeoutMs: settings.refreshTimeoutMs, issuedAt });
  if (answer.meaning === 'ok') {
    breakers.noteAnswer(credential.provider);
    await storeRefreshed(dependencies, marked, answer.tokens, issuedAt);
    // A look that fails would let the next attempt find it dead, with nobody left to revoke what this one was given.
    const standing = await writeUntilStored(
      { log, fields: { credentialId }, what: `What became of a refresh of ${credentialId}` },
      async () => readStanding(dependencies, await store.getCredential(credentialId), generation),
    );
    // Dead when it was to be written, and alive again: the next look tells more.
    if (standing === null) throw new RelinkError('write_conflict', `refresh of ${credentialId}`);
    if (standing.kind === 'dead' || standing.kind === 'gone')
      await revokeOvertaken(dependencies, marked, answer.tokens);
    return standing;
  }
  noteHealth(dependencies, credential, answer, isProbe);
  if (answer.meaning === 'unknown' && openPost === null) tellLost(dependencies, credential, answer.reason);
  return settle(dependencies, marked, answer, openPost !== null);
}

/** What needs no request; null: the token of this generation is to be refreshed. */
async function readStanding(
  { store }: ActivityDependencies,
  credential: Credential | null,
  generation: number,
): Promise<PostRefreshResult | null> {
  if (credential === null) return { kind: 'gone' };
  const standing = judgeRefresh(credential, generation);
  if (standing === 'open') return null;
  if (standing !== 'refreshed') return { kind: standing };
  const { rows } = await store.findIntegrationsByCauseCredentialId(credential.id, { limit: 1, after: null });
  const { epoch } = credential;
  return { kind: 'refreshed', generation: credential.generation, epoch, causesOpen: rows.length > 0 };
}

/** Milliseconds since the call, by whichever clock says more: the monotonic one stands still with a suspended machine. */
function startClock(now: () => Date): () => number {
  const [wall, monotonic] = [now().getTime(), performance.now()];
  return () => Math.max(now().getTime() - wall, performance.now() - monotonic);
}

function found({ refreshPosts }: Credential) {
  const reason = 'a request without an answer';
  return { kind: 'found', httpStatus: null, reason, retryAfterMs: null, openPost: refreshPosts } as const;
}

/** Once, where the question opens: the guarded retries that follow are of this one. */
function tellLost({ log }: ActivityDependencies, { id: credentialId, provider }: Credential, reason: string): void {
  log.info(
    { credentialId, provider, reason },
    `The answer to a refresh of ${credentialId} is lost (${reason}): a guarded retry decides`,
  );
}

/** Whether there is an address to ask: a host that is not allowed (any more) gets nothing. */
function hasEndpoint(provider: Provider, { key, extras }: TokenSet): boolean {
  // Minting asks the provider's own address.
  if (key?.kind === 'client_credentials') return true;
  try {
    resolveEndpoint(provider, 'tokenUrl', extras);
    return true;
  } catch (error) {
    if (error instanceof RelinkError && error.code === 'host_not_allowed') return false;
    throw error;
  }
}

type Failed = Exclude<RefreshAnswer, { meaning: 'ok' }>;

/** Only what says that the provider is down counts towards its outage: a refusal is an answer. */
function noteHealth(
  { breakers, clientFaults, log }: ActivityDependencies,
  credential: Credential,
  answer: Failed,
  isProbe: boolean,
): void {
  const { provider, id: credentialId } = credential;
  const { meaning, reason, httpStatus } = answer;
  if (httpStatus === null || httpStatus >= 500) breakers.noteFailure(provider, credentialId, reason, isProbe);
  else breakers.noteAnswer(provider);
  if (meaning === 'operator_fault') clientFaults.noteStillRejected(provider);
  log.debug(
    { credentialId, provider, meaning, reason, httpStatus },
    `Refresh of ${credentialId}: ${meaning} (${reason})`,
  );
}

/**
 * A known answer takes the mark away, unless an earlier request is still unanswered: then what became of that one is as
 * open as before. Not where client credentials mint: nothing was spent by that one.
 */
async function settle(
  { store, log }: ActivityDependencies,
  { id, kind, generation, refreshPosts, epoch, authIsValid }: Credential,
  { meaning, httpStatus, reason, retryAfterMs, providerError }: Failed,
  guarded: boolean,
): Promise<PostRefreshResult> {
  const isKnown = meaning !== 'unknown' && (!guarded || kind === 'client_credentials');
  if (isKnown) {
    await writeUntilStored(
      { log, fields: { credentialId: id, meaning }, what: `The answer to a refresh of ${id}` },
      () => store.clearRefreshPosted(id, generation, refreshPosts),
    );
  }
  const openPost = isKnown ? null : refreshPosts;
  return meaning === 'definitive' || meaning === 'operator_fault'
    ? { kind: meaning, epoch, httpStatus, authIsValid, providerError, openPost }
    : { kind: meaning, httpStatus, reason, retryAfterMs, openPost };
}

import { judgeRefresh, judgeStanding } from '../domain/credential-standing.js';
import type { Credential, Store } from '../store/port/store.js';
import type { RefreshAnswer, WorkflowStarter } from '../temporal/workflow-starter.js';
import { createCredentialMemory } from './create-credential-memory.js';
import { isDue } from './is-due.js';
import type { CredentialRefresher, RefreshOutcome, RefreshTarget } from './credential-refresher.js';

const defaultDeadlineMs = 10_000;
/** After a deadline the run is mostly about to answer. Milliseconds. */
const askAgainAfterMs = 2_000;
const longestWaitMs = 24 * 3_600_000;
/** How long an outcome that brought no token answers for late callers of the same 401. Milliseconds. */
const keptForMs = 1_000;
/** How long a token that looked ended on its arrival is not judged by the clock. Milliseconds. */
const trustedForMs = 60_000;

export interface RefresherDependencies {
  readonly store: Pick<Store, 'getCredential' | 'raiseRefreshTry'>;
  readonly workflows: Pick<WorkflowStarter, 'runRefresh'>;
  readonly now?: () => number;
}

/**
 * One refresh for all callers of a generation: in this process by sharing the promise, so that it has one call in flight;
 * across processes by the workflow's id.
 *
 * The row is asked first. Whoever comes with a token that has been replaced meanwhile is told so without any run, and a
 * credential that cannot be refreshed never costs one.
 */
export function createCredentialRefresher(dependencies: RefresherDependencies): CredentialRefresher {
  const running = new Map<string, Promise<RefreshOutcome>>();
  const { now = Date.now } = dependencies;
  const trusted = createCredentialMemory(trustedForMs, now);

  async function run(key: string, target: RefreshTarget, deadlineMs: number, atOnce: boolean): Promise<RefreshOutcome> {
    let outcome: RefreshOutcome | undefined;
    try {
      outcome = await refreshOnce(dependencies, target, deadlineMs, atOnce);
      if (outcome.kind === 'refreshed') {
        const brought = await dependencies.store.getCredential(target.id);
        if (brought !== null && isDue(brought, new Date(now()))) trusted.note(target.id);
      }
      return outcome;
    } finally {
      const isShared = outcome !== undefined && outcome.kind !== 'refreshed' && outcome.kind !== 'gone';
      setTimeout(() => running.delete(key), isShared ? keptForMs : 0).unref();
    }
  }

  return {
    async refresh(target, { deadlineMs = defaultDeadlineMs, byClock = false, atOnce = false } = {}) {
      const { id, generation } = target;
      if (byClock && trusted.has(id)) return { kind: 'refreshed', generation };
      const key = `${id}/${generation}/${atOnce}`;
      const shared = running.get(key) ?? run(key, target, Math.max(deadlineMs, defaultDeadlineMs), atOnce);
      running.set(key, shared);
      return await withinDeadline(shared, deadlineMs);
    },
  };
}

async function withinDeadline(shared: Promise<RefreshOutcome>, deadlineMs: number): Promise<RefreshOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<RefreshOutcome>(resolve => {
    timer = setTimeout(() => resolve({ kind: 'pending', retryAfterMs: askAgainAfterMs }), deadlineMs);
  });
  try {
    return await Promise.race([shared, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function refreshOnce(
  dependencies: RefresherDependencies,
  { id, provider, generation }: RefreshTarget,
  deadlineMs: number,
  atOnce: boolean,
): Promise<RefreshOutcome> {
  const { store, workflows, now = Date.now } = dependencies;
  const endsAt = now() + deadlineMs;
  // The try of the row and not the caller's: a run that gave up since has raised it.
  for (let refreshTry: number | null = null; ; ) {
    const credential = await store.getCredential(id);
    if (credential === null) return { kind: 'gone' };
    const standing = judgeRefresh(credential, generation);
    if (standing === 'refreshed') return { kind: 'refreshed', generation: credential.generation };
    if (standing !== 'open') return { kind: standing };
    if (!atOnce && refreshTry === null && isLeftToSweep(credential, now())) return { kind: 'operator_fault' };
    const left = endsAt - now();
    if (left <= 0) return { kind: 'pending', retryAfterMs: askAgainAfterMs };
    if (refreshTry === credential.refreshTry) {
      // Its run is over, and the row is as before: it was terminated, or lost. The mark still guards the next one.
      await store.raiseRefreshTry(id, generation, refreshTry, new Date(now()));
      refreshTry += 1;
    } else {
      refreshTry = credential.refreshTry;
    }
    const answer = await workflows.runRefresh({ credentialId: id, provider, generation, refreshTry }, left);
    if (answer.outcome !== 'closed') return toOutcome(answer, now());
  }
}

/** The next run may find the client mended; until it is due, every caller's would be refused as the last one was. */
function isLeftToSweep(credential: Credential, now: number): boolean {
  const { refreshDueAt } = credential;
  return judgeStanding(credential) === 'client_rejected' && refreshDueAt !== null && refreshDueAt.getTime() > now;
}

function toOutcome(answer: Exclude<RefreshAnswer, { outcome: 'closed' }>, now: number): RefreshOutcome {
  switch (answer.outcome) {
    case 'refreshed':
      return { kind: 'refreshed', generation: answer.generation };
    case 'pending': {
      const waitMs = Date.parse(answer.retryAt) - now;
      return { kind: 'pending', retryAfterMs: Math.min(Math.max(waitMs, askAgainAfterMs), longestWaitMs) };
    }
    case 'timed_out':
      return { kind: 'pending', retryAfterMs: askAgainAfterMs };
    case 'dead':
    case 'not_refreshable':
    case 'operator_fault':
    case 'gone':
      return { kind: answer.outcome };
  }
}

import type { Credential, Store } from '../store/port/store.js';
import type { RefreshAnswer, WorkflowStarter } from '../temporal/workflow-starter.js';
import type { CredentialRefresher, RefreshOutcome, RefreshTarget } from './refresh-once.js';

const defaultDeadlineMs = 10_000;
/** After a deadline the run is mostly about to answer. Milliseconds. */
const askAgainAfterMs = 2_000;
const longestWaitMs = 24 * 3_600_000;
/** How long an outcome that brought no token answers for late callers of the same 401. Milliseconds. */
const keptForMs = 1_000;

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

  async function run(key: string, target: RefreshTarget, deadlineMs: number): Promise<RefreshOutcome> {
    let outcome: RefreshOutcome | undefined;
    try {
      outcome = await refreshOnce(dependencies, target, deadlineMs);
      return outcome;
    } finally {
      const isShared = outcome !== undefined && outcome.kind !== 'refreshed' && outcome.kind !== 'gone';
      setTimeout(() => running.delete(key), isShared ? keptForMs : 0).unref();
    }
  }

  return {
    async refresh(target, { deadlineMs = defaultDeadlineMs } = {}) {
      const key = `${target.id}/${target.generation}`;
      const shared = running.get(key) ?? run(key, target, Math.max(deadlineMs, defaultDeadlineMs));
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
): Promise<RefreshOutcome> {
  const { store, workflows, now = Date.now } = dependencies;
  const endsAt = now() + deadlineMs;
  // The try of the row and not the caller's: a run that gave up since has raised it.
  for (let refreshTry: number | null = null; ; ) {
    const credential = await store.getCredential(id);
    const standing = readStanding(credential, generation);
    if (standing !== null || credential === null) return standing ?? { kind: 'gone' };
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

/** What the row says without a run; null: it is to be refreshed. */
function readStanding(credential: Credential | null, generation: number): RefreshOutcome | null {
  if (credential === null) return { kind: 'gone' };
  // A rejected client says nothing against the grant: the next run may find it mended.
  if (!credential.authIsValid && credential.verdict?.code !== 'client_rejected') return { kind: 'dead' };
  if (credential.generation > generation) return { kind: 'refreshed', generation: credential.generation };
  return credential.refreshable ? null : { kind: 'not_refreshable' };
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

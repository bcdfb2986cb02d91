import type { CredentialTestOutcome } from '../domain/credential-test.js';
import type { Credential } from '../store/port/store.js';
import type { WorkflowStarter } from '../temporal/workflow-starter.js';

export type TestOutcome = CredentialTestOutcome | 'gone' | null;

export interface CredentialTester {
  /** Null: there was no outcome in time. */
  test(credential: Pick<Credential, 'id' | 'provider' | 'generation'>): Promise<TestOutcome>;
}

/** What the test itself may take beyond its waits. Milliseconds. */
const marginMs = 15_000;
/**
 * How long a passed test answers for the next 401: one that an endpoint gives for reasons of its own (a missing scope)
 * would else start a test for every delivery. Milliseconds.
 */
const passedForMs = 30_000;
/** The same for a refusal: for callers whose own 401 came before it and reached us after it. Milliseconds. */
const refusedForMs = 2_000;

/**
 * Tests a credential once for all callers of one generation: in this process by sharing the promise, across processes
 * by the workflow's id.
 */
export function createCredentialTester(
  workflows: Pick<WorkflowStarter, 'runCredentialTest'>,
  graceMs: readonly number[],
): CredentialTester {
  const known = new Map<string, Promise<TestOutcome>>();
  const deadlineMs = graceMs.reduce((sum, wait) => sum + wait, marginMs);

  async function run(
    key: string,
    { id, provider, generation }: Pick<Credential, 'id' | 'provider' | 'generation'>,
  ): Promise<TestOutcome> {
    let outcome: TestOutcome = null;
    try {
      outcome = await workflows.runCredentialTest({ credentialId: id, provider, graceMs }, generation, deadlineMs);
      return outcome;
    } finally {
      const keptForMs = {
        ok: passedForMs,
        needs_refresh: refusedForMs,
        refused: refusedForMs,
        gone: 0,
        unreachable: 0,
      };
      setTimeout(() => known.delete(key), outcome === null ? 0 : keptForMs[outcome]).unref();
    }
  }

  return {
    test(credential) {
      const key = `${credential.id}/${credential.generation}`;
      const running = known.get(key) ?? Promise.resolve().then(() => run(key, credential));
      known.set(key, running);
      return running;
    },
  };
}

import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** A test that never got an answer is noted against the generation stored now. */
export function recordCredentialTest({ store, now }: ActivityDependencies): Activities['recordCredentialTest'] {
  return async ({ credentialId, outcome, generation }) => {
    const tested = generation ?? (await store.getCredential(credentialId))?.generation;
    if (tested === undefined) return;
    await store.recordCredentialTest(credentialId, { outcome, generation: tested, at: now() });
  };
}

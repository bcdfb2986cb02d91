import type { Activities } from '../contracts/activities.js';
import { judgeRefresh } from '../domain/credential-standing.js';
import { RelinkError } from '../errors.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Begins the refresh of a credential test, or finds the one run that there is for this generation. It does not wait: the
 * run's own steps need the slots that waiting activities would hold.
 */
export function beginRefresh({ store, workflows, now }: ActivityDependencies): Activities['beginRefresh'] {
  return async ({ credentialId, generation }) => {
    const credential = await store.getCredential(credentialId);
    if (credential === null) return { kind: 'gone', refreshTry: 0 };
    const standing = judgeRefresh(credential, generation);
    if (standing !== 'open') return { kind: standing, refreshTry: 0 };
    const { provider, refreshTry } = credential;
    const start = await workflows.startRefresh({ credentialId, provider, generation, refreshTry });
    if (start !== 'closed') return { kind: 'pending', refreshTry };
    // Over, and the row was as before: terminated, or lost, or it has moved on since it was read. The next look tells.
    await store.raiseRefreshTry(credentialId, generation, refreshTry, now());
    throw new RelinkError('write_conflict', `refresh of ${credentialId}`);
  };
}

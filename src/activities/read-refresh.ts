import type { Activities } from '../contracts/activities.js';
import { judgeRefresh } from '../domain/credential-standing.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * How a refresh stands that was begun: from the row, so that it costs one read. A death counts once its run is over: until
 * then it is being told.
 */
export function readRefresh({ store, workflows }: ActivityDependencies): Activities['readRefresh'] {
  return async ({ credentialId, generation, refreshTry }) => {
    const credential = await store.getCredential(credentialId);
    if (credential === null) return { kind: 'gone' };
    const standing = judgeRefresh(credential, generation);
    // The run that gives up raises the try last.
    if (standing === 'open') return { kind: credential.refreshTry === refreshTry ? 'pending' : 'given_up' };
    if (standing !== 'dead') return { kind: standing };
    const { provider } = credential;
    // Its run has this id for ever, so nothing is started by this: it says whether the run is over.
    const run = await workflows.startRefresh({ credentialId, provider, generation, refreshTry });
    return { kind: run === 'closed' ? 'dead' : 'pending' };
  };
}

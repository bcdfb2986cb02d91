import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** A test's caller waits for it; a refresh that takes longer goes on by itself. Milliseconds. */
const deadlineMs = 8_000;

/** The refresh of a credential test: joins the one run that there is for this generation. */
export function refreshCredential({ store, refresher }: ActivityDependencies): Activities['refreshCredential'] {
  return async ({ credentialId, generation }) => {
    const credential = await store.getCredential(credentialId);
    if (credential === null) return { kind: 'gone' };
    const { kind } = await refresher.refresh({ ...credential, generation }, { deadlineMs, atOnce: true });
    return { kind };
  };
}

import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** A repeat finds another try and changes nothing. */
export function raiseRefreshTry({ store, now }: ActivityDependencies): Activities['raiseRefreshTry'] {
  return async ({ credentialId, generation, refreshTry, dueInMs }) => {
    await store.raiseRefreshTry(credentialId, generation, refreshTry, new Date(now().getTime() + dueInMs));
  };
}

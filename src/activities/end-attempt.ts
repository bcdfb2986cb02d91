import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** A no-op where the failing activity has already noted its own code. */
export function endAttempt({ store, now }: ActivityDependencies): Activities['endAttempt'] {
  return async ({ sessionId, code }) => {
    await store.endSession(sessionId, 'exchanged', code, now());
  };
}

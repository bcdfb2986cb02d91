import type { Activities } from '../contracts/activities.js';
import type { ActivityDependencies } from './dependencies.js';

/** Says whether the attempt is over: not so when its account is proven, for then it only goes forward. */
export function endAttempt({ store, now }: ActivityDependencies): Activities['endAttempt'] {
  return async ({ sessionId, code }) => {
    await store.endSession(sessionId, 'exchanged', code, now());
    const session = await store.getSession(sessionId);
    return { ended: session === null || session.state === 'failed' };
  };
}

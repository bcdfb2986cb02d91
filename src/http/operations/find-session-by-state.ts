import { RelinkError } from '../../errors.js';
import type { Session } from '../../store/port/store.js';
import { sha256Hex } from '../../vault/hash.js';
import type { HttpContext } from '../dependencies.js';
import { isExpired } from './read-session.js';

/**
 * Finds the session that a callback's `state` belongs to.
 *
 * @param isTheirs Whether whoever came may finish it: provider, user or browser.
 * @throws RelinkError `attempt_not_found`: the same for unknown, expired and foreign, so that an answer tells nothing.
 */
export async function findSessionByState(
  { store, now }: HttpContext,
  state: string,
  isTheirs: (session: Session) => boolean,
): Promise<Session> {
  const session = await store.findSessionByStateHash(sha256Hex(state));
  if (session === null || isExpired(session, now()) || !isTheirs(session)) throw new RelinkError('attempt_not_found');
  return session;
}

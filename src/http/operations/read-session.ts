import type { Session } from '../../store/port/store.js';

/** Only an unclaimed session expires: a claimed one lives until its workflow has ended. */
export function isExpired(session: Session, now: Date): boolean {
  return session.state === 'pending' && session.expiresAt.getTime() <= now.getTime();
}

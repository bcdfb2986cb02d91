import { isErrorCode, type ErrorCode } from '../../errors.js';
import type { Session } from '../../store/port/store.js';

/** Only an unclaimed session expires: a claimed one lives until its workflow has ended. */
export function isExpired(session: Session, now: Date): boolean {
  return session.state === 'pending' && session.expiresAt.getTime() <= now.getTime();
}

/** The code a failed session ended with. */
export function errorCodeOf(session: Session): ErrorCode {
  return isErrorCode(session.errorCode) ? session.errorCode : 'internal';
}

import type { z } from 'zod';
import { errorRegistry, readErrorCode } from '../../errors.js';
import type { Session } from '../../store/port/store.js';
import { errorAction } from '../error-action.js';
import { isExpired } from '../operations/read-session.js';
import type { attemptAnswer } from '../schemas/answers.js';

export function presentAttempt(session: Session, now: Date): z.output<typeof attemptAnswer> {
  const { id, provider, state, credentialId, entityId } = session;
  const code = state === 'failed' ? readErrorCode(session.errorCode) : null;
  return {
    attempt: id,
    provider,
    status: isExpired(session, now) ? 'expired' : state,
    ...(credentialId === null ? {} : { credential_id: credentialId }),
    ...(entityId === null ? {} : { entity_id: entityId }),
    ...(code === null ? {} : { error: { code, message: errorRegistry[code].text, action: errorAction(code) } }),
  };
}

import type { CredentialId, EntityId } from '../../domain/ids.js';
import { type ErrorCode, readErrorCode } from '../../errors.js';
import type { Session } from '../../store/port/store.js';

export type AuthorizationAnswer =
  | { readonly kind: 'connected'; readonly credentialId: CredentialId; readonly entityId: EntityId }
  /** Nothing to tell yet; the work goes on and the session's row tells the end. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

/** What an attempt has come to, as its row says. Connected as soon as both ids are there: a restore is not waited for. */
export function readOutcome(session: Session): AuthorizationAnswer {
  const { state, credentialId, entityId } = session;
  if (state === 'failed') return { kind: 'failed', code: readErrorCode(session.errorCode) };
  if (credentialId === null || entityId === null) return { kind: 'pending' };
  return { kind: 'connected', credentialId, entityId };
}

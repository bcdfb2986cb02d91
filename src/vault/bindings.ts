import type { CredentialId, SessionId } from '../domain/ids.js';

/**
 * What a sealed text is bound to: its table, row and column. Sealed text copied to another place does not open there,
 * so whoever can write to the database still cannot hand one user's tokens to another.
 */
export function sessionRequestBinding(id: SessionId): string {
  return `authorization_sessions/${id}/sealed_request`;
}

export function sessionGrantBinding(id: SessionId): string {
  return `authorization_sessions/${id}/sealed_grant`;
}

export function credentialTokensBinding(id: CredentialId): string {
  return `credentials/${id}/sealed_tokens`;
}

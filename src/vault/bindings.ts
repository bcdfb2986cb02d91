import type { CredentialId, IntegrationId, SessionId } from '../domain/ids.js';

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

/** By the unique key and not by the id: it is known before the row is, and the same in every store. */
export function deliveryContentBinding(integrationId: IntegrationId, externalId: string): string {
  return `deliveries/${integrationId}/${externalId}/sealed_content`;
}

export function subscriptionSecretsBinding(integrationId: IntegrationId): string {
  return `subscriptions/${integrationId}/sealed_secrets`;
}

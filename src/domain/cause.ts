import type { CredentialId, ProviderId } from './ids.js';

/** Why a credential counts as dead. docs/integrations.md lists the same codes; a test compares the two. */
export const causeCodes = [
  'credential_refused',
  'refresh_refused',
  'refresh_outcome_unknown',
  'client_rejected',
  'credential_deleted',
] as const;
export type CauseCode = (typeof causeCodes)[number];

/**
 * Why an integration is, or would be, in ERROR: one dead credential. Kept on the integration's row.
 * `text` is for the product's user: it never holds a header, a token or a URL.
 */
export interface Cause {
  readonly credentialId: CredentialId;
  /** The credential's epoch at which its death was recorded. */
  readonly epoch: number;
  readonly provider: ProviderId;
  readonly code: CauseCode;
  /** The HTTP status of the provider's refusal; null when there was none. */
  readonly httpStatus: number | null;
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** The sentence shown to the product's user: who refused, how, and what to do. */
export function causeText(providerName: string, code: CauseCode, httpStatus: number | null): string {
  const status = httpStatus === null ? '' : ` (HTTP ${httpStatus})`;
  switch (code) {
    case 'credential_refused':
      return `${providerName} no longer accepts this connection${status}. Reconnect the account.`;
    case 'refresh_refused':
      return `${providerName} refused to renew this connection${status}. Reconnect the account.`;
    case 'refresh_outcome_unknown':
      return `Renewing the connection to ${providerName} was interrupted and could not be completed${status}. Reconnect the account.`;
    case 'client_rejected':
      return `${providerName} rejected this product's own credentials${status}. The operator has to fix them; reconnecting does not help.`;
    case 'credential_deleted':
      return `The connection to ${providerName} was removed. Connect the account again.`;
  }
}

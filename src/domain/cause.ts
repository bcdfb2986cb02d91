import type { CredentialKind } from './credential-kind.js';
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
  /** What its user has to give anew. */
  readonly kind: CredentialKind;
  readonly code: CauseCode;
  /** The HTTP status of the provider's refusal; null when there was none. */
  readonly httpStatus: number | null;
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** What a user calls a credential of each kind, and what its user has to do once it is dead. */
const wordsOf: Record<CredentialKind, { readonly it: string; readonly remedy: string }> = {
  oauth2: { it: 'this connection', remedy: 'reconnect the account' },
  api_key: { it: 'this key', remedy: 'give a new key' },
  basic: { it: 'this user name and password', remedy: 'give a new user name and password' },
  client_credentials: { it: 'this client', remedy: 'give a new client id and secret' },
};

/** As the end of "Its user has to …". */
export const remedyOf = (kind: CredentialKind): string => wordsOf[kind].remedy;

/** The sentence shown to the product's user: who refused, how, and what to do, in words that fit the credential's kind. */
export function causeText(
  providerName: string,
  kind: CredentialKind,
  code: CauseCode,
  httpStatus: number | null,
): string {
  // Some refuse inside a 200: that number would tell its reader the opposite.
  const status = httpStatus === null || httpStatus < 400 ? '' : ` (HTTP ${httpStatus})`;
  const { it, remedy } = wordsOf[kind];
  const Remedy = remedy.charAt(0).toUpperCase() + remedy.slice(1);
  switch (code) {
    case 'credential_refused':
      return `${providerName} no longer accepts ${it}${status}. ${Remedy}.`;
    case 'refresh_refused': {
      // A client of the user's own has nothing to renew: it was refused itself.
      const refused = kind === 'oauth2' ? 'refused to renew' : 'no longer accepts';
      return `${providerName} ${refused} ${it}${status}. ${Remedy}.`;
    }
    case 'refresh_outcome_unknown':
      return `Renewing the connection to ${providerName} was interrupted and could not be completed${status}. ${Remedy}.`;
    case 'client_rejected':
      return `${providerName} rejected this product's own credentials${status}. The operator has to fix them; reconnecting does not help.`;
    case 'credential_deleted':
      return `The connection to ${providerName} was removed. ${kind === 'oauth2' ? 'Connect the account again' : Remedy}.`;
  }
}

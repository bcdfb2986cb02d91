import type { CauseCode } from './cause.js';

/**
 * What a credential's verdict leaves to be done with it:
 *
 * - `living`: used, and refreshed;
 * - `client_rejected`: the provider rejected this product's own client, which says nothing against the grant. The token
 *   is used while it lives, and the refresh that passes takes the verdict back;
 * - `dead`: neither. A reconnect, or a passed test, brings it back.
 */
export type CredentialStanding = 'living' | 'client_rejected' | 'dead';

/** The one verdict that is about this product and not about the grant. The stores' conditions name it too. */
export const clientRejected = 'client_rejected' satisfies CauseCode;

/** The verdict that says that an answer was lost: the answer itself, come late, takes it back. The stores' conditions name it too. */
export const refreshOutcomeUnknown = 'refresh_outcome_unknown' satisfies CauseCode;

/** The verdict that nothing but a reconnect takes back. The stores' conditions name it too. */
export const credentialDeleted = 'credential_deleted' satisfies CauseCode;

interface VerdictHolder {
  readonly authIsValid: boolean;
  readonly verdict: { readonly code: CauseCode } | null;
}

export function judgeStanding({ authIsValid, verdict }: VerdictHolder): CredentialStanding {
  if (authIsValid) return 'living';
  return verdict?.code === clientRejected ? 'client_rejected' : 'dead';
}

/** The part of a credential's row that decides over its refresh. */
export interface RefreshableCredential extends VerdictHolder {
  readonly generation: number;
  readonly refreshable: boolean;
}

/** What the row says of a refresh of `generation` without any request; `open`: it is to be refreshed. */
export function judgeRefresh(
  credential: RefreshableCredential,
  generation: number,
): 'dead' | 'refreshed' | 'not_refreshable' | 'open' {
  if (judgeStanding(credential) === 'dead') return 'dead';
  if (credential.generation > generation) return 'refreshed';
  return credential.refreshable ? 'open' : 'not_refreshable';
}

/** Whether it was a refresh that failed: a token that passes its test proves nothing then, and the next refresh decides. */
export function isJudgedByRefresh({ verdict }: VerdictHolder): boolean {
  return verdict !== null && verdict.code !== 'credential_refused';
}

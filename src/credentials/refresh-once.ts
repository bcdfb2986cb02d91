import type { Credential } from '../store/port/store.js';

/** How a refresh stood when its caller had to know. */
export type RefreshOutcome =
  /** A newer token is stored; `generation` is its. */
  | { readonly kind: 'refreshed'; readonly generation: number }
  /** Not decided yet: the run goes on by itself. Ask again after `retryAfterMs`. */
  | { readonly kind: 'pending'; readonly retryAfterMs: number }
  /** The grant is dead and its integrations are told, or are being told. */
  | { readonly kind: 'dead' }
  /** No refresh token is held: no request was made. */
  | { readonly kind: 'not_refreshable' }
  /** The provider rejected this product's own client: nothing that the user could mend. */
  | { readonly kind: 'operator_fault' }
  /** The credential was deleted. */
  | { readonly kind: 'gone' };

export type RefreshTarget = Pick<Credential, 'id' | 'provider' | 'generation' | 'refreshTry'>;

export interface CredentialRefresher {
  /**
   * Refreshes this generation once for everybody who asks, in whatever process. A credential whose stored generation is
   * newer than `credential.generation` is `refreshed` already, without any request. Never throws for an outage.
   *
   * @param options.deadlineMs How long to wait for the outcome. Default: 10,000.
   */
  refresh(credential: RefreshTarget, options?: { readonly deadlineMs?: number }): Promise<RefreshOutcome>;
}

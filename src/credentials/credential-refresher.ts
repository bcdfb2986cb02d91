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
  /** Only the operator can mend it: the provider rejects this product's client, or our keys do not open the tokens. */
  | { readonly kind: 'operator_fault' }
  /** The credential was deleted. */
  | { readonly kind: 'gone' };

export type RefreshTarget = Pick<Credential, 'id' | 'provider' | 'generation' | 'refreshTry'>;

export interface RefreshOptions {
  readonly deadlineMs?: number;
  readonly byClock?: boolean;
  readonly atOnce?: boolean;
}

/** When to come again over a fault that only the operator can mend, and that is no word about the credential. Milliseconds. */
export const operatorWaitMs = 60_000;

export interface CredentialRefresher {
  /**
   * Refreshes this generation once for everybody who asks, in whatever process. A credential whose stored generation is
   * newer than `credential.generation` is `refreshed` already, without any request. Never throws for an outage.
   *
   * While the provider rejects this product's client, it is asked again when the sweep is due to, and not for every caller.
   *
   * @param options.deadlineMs How long to wait for the outcome. Default: 10,000.
   * @param options.byClock Nobody refused the token: only the clock says that it has ended. One that looked so on its arrival
   * (a clock that is off, a tiny `expires_in`) would cost a request for every call: for a minute it counts as `refreshed`,
   * and its 401 decides.
   * @param options.atOnce Also while the client is rejected: somebody asks to have it looked at.
   */
  refresh(credential: RefreshTarget, options?: RefreshOptions): Promise<RefreshOutcome>;
}

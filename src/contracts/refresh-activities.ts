import type { CredentialId, ProviderId } from '../domain/ids.js';

/** How one step of a refresh went. `openPost`: the POST whose answer is not known; null when every answer is. */
export type PostRefreshResult =
  | {
      readonly kind: 'refreshed';
      readonly generation: number;
      readonly epoch: number;
      /** An integration still holds a cause of this credential. */
      readonly causesOpen: boolean;
    }
  | { readonly kind: 'dead' | 'not_refreshable' | 'gone' }
  | {
      readonly kind: 'definitive' | 'operator_fault';
      /** At which the provider was asked. */
      readonly epoch: number;
      readonly httpStatus: number | null;
      /** False: that this product's client was rejected is told already. */
      readonly authIsValid: boolean;
      /** The provider's own code, checked for its form; null where there was none. */
      readonly providerError?: string | null;
      readonly openPost: number | null;
    }
  | {
      /** `found`: an earlier attempt marked its POST and left no answer; this one asked nobody. */
      readonly kind: 'transient' | 'rate_limited' | 'unknown' | 'found';
      readonly httpStatus: number | null;
      readonly reason: string;
      readonly retryAfterMs: number | null;
      readonly openPost: number | null;
    };

export interface RefreshActivities {
  /**
   * Marks, posts, stores: at most one token POST. With `openPost` null it posts only where no answer is outstanding;
   * with a number it is the guarded retry of that very POST.
   */
  postRefresh(input: {
    readonly credentialId: CredentialId;
    readonly generation: number;
    readonly openPost: number | null;
  }): Promise<PostRefreshResult>;
  /** The last thing a run that gives up does. Of what it gave up over: runs begun before this was told leave it out. */
  raiseRefreshTry(input: {
    readonly credentialId: CredentialId;
    readonly generation: number;
    readonly refreshTry: number;
    readonly dueInMs: number;
    readonly gaveUp?: {
      readonly provider: ProviderId;
      readonly outcome: 'pending' | 'operator_fault';
      readonly reason: string;
      readonly httpStatus: number | null;
    };
  }): Promise<void>;
}

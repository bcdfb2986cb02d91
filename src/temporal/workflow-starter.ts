import type {
  Connection,
  DeleteCredentialInput,
  InvalidateInput,
  InvalidateResult,
  ReauthInput,
  RefreshInput,
  RefreshResult,
  TestCredentialInput,
  TestCredentialResult,
} from '../contracts/workflows.js';
import type { IntegrationId } from '../domain/ids.js';
import type { ErrorCode } from '../errors.js';

/** How a reauth stood when its deadline came. */
export type ReauthAnswer =
  | ({ readonly kind: 'connected' } & Connection)
  /** Not finished, or Temporal out of reach: the workflow or the sweep goes on, the session row tells the end. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

/** Which attempt; the settings of the run are the starter's. */
export type ReauthTarget = Pick<ReauthInput, 'sessionId' | 'provider'>;

/** Which deletion; the settings of the run are the starter's. */
export type DeletionTarget = Omit<DeleteCredentialInput, 'revokeWithinMs'>;

/** Which refresh; the waits of the run are the starter's. */
export type RefreshRunTarget = Pick<RefreshInput, 'credentialId' | 'provider' | 'generation' | 'refreshTry'>;

/** How a refresh stood when its deadline came. */
export type RefreshAnswer =
  | RefreshResult
  /** The deadline came first, or Temporal is out of reach: the run, if it began, goes on. */
  | { readonly outcome: 'timed_out' }
  /** The run is over and answers no more: the credential's row tells how it ended. */
  | { readonly outcome: 'closed' };

/** What a start without waiting found. */
export type RefreshStart = 'started' | 'running' | 'closed';

/** The only door to Temporal for HTTP routes and activities. Every call ends by its deadline. */
export interface WorkflowStarter {
  /** Update-with-Start of reauth/<session>: attaches to the same run however often it is called. Never throws. */
  runReauth(input: ReauthTarget, deadlineMs: number): Promise<ReauthAnswer>;
  /**
   * Starts reauth/<session> without waiting for its answer; true when a run was started. Also starts over a run that
   * ended without writing its outcome (terminated, timed out). Throws RelinkError `temporal_unavailable`.
   */
  startReauth(input: ReauthTarget): Promise<boolean>;
  /** Update-with-Start of refresh/<credential>/<generation>/<try>: all callers share one run. Never throws for Temporal. */
  runRefresh(input: RefreshRunTarget, deadlineMs: number): Promise<RefreshAnswer>;
  /** Starts that run, where there is none, without waiting. Throws RelinkError `temporal_unavailable`. */
  startRefresh(input: RefreshRunTarget): Promise<RefreshStart>;
  /** Starts, or joins, the test of this generation. Throws RelinkError `temporal_unavailable`. */
  startCredentialTest(input: TestCredentialInput, generation: number): Promise<void>;
  /** Tells a known death again for one integration; null when it was not done by the deadline. */
  runInvalidate(input: InvalidateInput, scope: string, deadlineMs: number): Promise<InvalidateResult | null>;
  /**
   * Signal-with-start of webhooks/<integration>. Safe to repeat; call it after the commit of what there is to do.
   * Throws RelinkError `temporal_unavailable`.
   */
  wakeWebhooks(integrationId: IntegrationId): Promise<void>;
  /** Starts, or joins, the test of this generation and waits for its outcome; null when it was not there in time. */
  runCredentialTest(
    input: TestCredentialInput,
    generation: number,
    deadlineMs: number,
  ): Promise<TestCredentialResult['outcome'] | null>;
  /**
   * Starts delete/<credential>/<epoch>, also where an earlier run of it ended; false when one is running. Throws
   * RelinkError `temporal_unavailable`.
   */
  startDeletion(input: DeletionTarget): Promise<boolean>;
  /** True when Temporal answers. */
  check(deadlineMs: number): Promise<boolean>;
}

import type { CauseCode } from '../domain/cause.js';
import type { CredentialTestOutcome } from '../domain/credential-test.js';
import type { Gate } from '../domain/delivery.js';
import type { CredentialId, EntityId, IntegrationId, SessionId } from '../domain/ids.js';
import type { IntegrationStatus } from '../domain/status.js';
import type { SweepResult } from './workflows.js';

/**
 * What workflows may ask for. Only ids, statuses, counts and error codes cross this border (ARCHITECTURE.md, "Only ids in Temporal");
 * activities fetch everything else by id. Typed here, apart from the implementations, so that workflow code sees no
 * Node types.
 */
export interface ReauthActivities {
  /** Proves the token, compares the account, stores the credential. */
  persistCredential(input: { readonly sessionId: SessionId }): Promise<{
    readonly credentialId: CredentialId;
    /** The epoch the restore carries; 0 when the grant was overtaken by a death, which makes the restore a no-op. */
    readonly epoch: number;
  }>;
  /** Finds or creates the entity, points it at the credential, and answers the attempt. */
  upsertEntity(input: { readonly sessionId: SessionId; readonly credentialId: CredentialId }): Promise<{
    readonly entityId: EntityId;
  }>;
  /** Puts the credential's integrations back to work and notes on the attempt that this is done. */
  restoreIntegrationStatuses(input: {
    /** Null when a passed test restores. */
    readonly sessionId: SessionId | null;
    readonly credentialId: CredentialId;
    /** Null when a passed test restores: then every entity of the credential counts alike. */
    readonly entityId: EntityId | null;
    readonly epoch: number;
    readonly optIn: boolean;
  }): Promise<{
    readonly restored: number;
    /** The credential's death, when it died before its rows could be reached: somebody has to tell them. */
    readonly death: { readonly epoch: number; readonly code: CauseCode; readonly httpStatus: number | null } | null;
  }>;
  /** Ends the attempt with an error code, unless its account is proven: then it has to go forward. */
  endAttempt(input: { readonly sessionId: SessionId; readonly code: string }): Promise<{ readonly ended: boolean }>;
}

export interface InvalidateActivities {
  /** Null epoch: the credential has moved on and nothing is to be told. */
  markCredentialInvalid(input: {
    readonly credentialId: CredentialId;
    readonly epoch: number;
    readonly code: CauseCode;
    readonly httpStatus: number | null;
  }): Promise<{ readonly causeEpoch: number | null }>;
  addCauses(input: { readonly credentialId: CredentialId; readonly causeEpoch: number }): Promise<{
    readonly errors: number;
    readonly recorded: number;
  }>;
  /** Takes back what addCauses wrote where the credential or the entities have moved on meanwhile. */
  withdrawOvertakenCauses(input: { readonly credentialId: CredentialId; readonly causeEpoch: number }): Promise<{
    readonly withdrawn: number;
  }>;
}

export interface ProbeResult {
  readonly outcome: Extract<CredentialTestOutcome, 'ok' | 'refused'> | 'gone';
  readonly httpStatus: number | null;
  readonly refreshable: boolean;
  readonly authIsValid: boolean;
  readonly generation: number;
  readonly epoch: number;
}

export interface TestActivities {
  /**
   * One identity call with the stored token. An outage is a retryable failure, never an outcome. Where only a refresh can
   * tell (the token has ended, or its refresh was what failed) it asks nobody and says `refused`, with no status.
   */
  probeCredential(input: { readonly credentialId: CredentialId }): Promise<ProbeResult>;
  recordCredentialTest(input: {
    readonly credentialId: CredentialId;
    readonly outcome: CredentialTestOutcome;
    readonly generation: number | null;
  }): Promise<void>;
  /** Refreshes the generation that was refused, or joins whoever is at it. */
  refreshCredential(input: { readonly credentialId: CredentialId; readonly generation: number }): Promise<{
    readonly kind: 'refreshed' | 'pending' | 'dead' | 'not_refreshable' | 'operator_fault' | 'gone';
  }>;
  /** Takes an earlier verdict back after a passed test; null epoch when something newer happened. */
  markCredentialValid(input: {
    readonly credentialId: CredentialId;
    readonly epoch: number;
    readonly generation: number;
  }): Promise<{
    readonly epoch: number | null;
  }>;
}

/** What became of a deleted credential's grant at the provider. */
export type RevocationOutcome = 'revoked' | 'not_offered' | 'refused' | 'unreachable' | 'overtaken';

export interface DeletionActivities {
  /** One revocation request. An outage, and what only the operator can mend, is a retryable failure. */
  revokeCredential(input: { readonly credentialId: CredentialId; readonly epoch: number }): Promise<{
    readonly outcome: RevocationOutcome;
  }>;
  /** Removes the credential with the entities that nothing uses, or empties it where something does. */
  removeCredential(input: {
    readonly credentialId: CredentialId;
    readonly epoch: number;
    readonly revocation: RevocationOutcome;
  }): Promise<{ readonly outcome: 'removed' | 'emptied' | 'overtaken' }>;
}

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
  /** The last thing a run that gives up does. */
  raiseRefreshTry(input: {
    readonly credentialId: CredentialId;
    readonly generation: number;
    readonly refreshTry: number;
    readonly dueInMs: number;
  }): Promise<void>;
}

export interface SweepActivities {
  /** Ends abandoned exchanges, starts what was written but not started, finishes creations and deletions. */
  sweep(): Promise<SweepResult>;
}

export interface GateCheck {
  readonly gate: Gate;
  /** Null: the integration is gone. */
  readonly status: IntegrationStatus | null;
  /** A subscription is due, or the integration came back and its hook for that has not run. */
  readonly preparationDue: boolean;
}

export interface ProcessResult {
  readonly handled: number;
  readonly failed: number;
  /** Whether it went on until nothing was due (`drained`), its gate closed (`stopped`), or its time was up (`more`). */
  readonly end: 'drained' | 'stopped' | 'more';
  /** Milliseconds until the next queued delivery is due; null when none is queued. */
  readonly nextDueInMs: number | null;
}

export interface WebhookActivities {
  /** Reads the status and decides: the first thing before any work. */
  checkIntegrationStatus(input: { readonly integrationId: IntegrationId }): Promise<GateCheck>;
  /** Ensures the subscription and runs the hook for coming back. Its failures show on the integration and hold up nothing. */
  prepareIntegration(input: { readonly integrationId: IntegrationId }): Promise<{
    readonly subscription: 'ensured' | 'failed' | 'not_due';
    readonly resumed: boolean;
  }>;
  /** Works through what is due, lot by lot, checking the gate before each. */
  processDeliveries(input: { readonly integrationId: IntegrationId }): Promise<ProcessResult>;
  /** Marks what came in while the integration took nothing. */
  discardDeliveries(input: { readonly integrationId: IntegrationId }): Promise<{ readonly discarded: number }>;
}

export type Activities = ReauthActivities &
  InvalidateActivities &
  TestActivities &
  DeletionActivities &
  RefreshActivities &
  WebhookActivities &
  SweepActivities;

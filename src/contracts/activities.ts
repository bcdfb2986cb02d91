import type { CauseCode } from '../domain/cause.js';
import type { CredentialTestOutcome } from '../domain/credential-test.js';
import type { CredentialId, EntityId, SessionId } from '../domain/ids.js';
import type { WebhookActivities } from './delivery-activities.js';
import type { RefreshActivities } from './refresh-activities.js';

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
    /** The provider's own code, checked for its form. */
    readonly providerError?: string | null;
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

/** How the refresh of a test stands. `given_up`: its run is over, and another comes later. */
export type RefreshKind = 'refreshed' | 'pending' | 'given_up' | 'dead' | 'not_refreshable' | 'operator_fault' | 'gone';

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
  /** As `beginRefresh`, and waits for the outcome. Only runs begun before that existed ask for it. */
  refreshCredential(input: { readonly credentialId: CredentialId; readonly generation: number }): Promise<{
    readonly kind: RefreshKind;
  }>;
  /**
   * Begins the refresh of the generation that was refused, or finds the run that is at it, and does not wait. `pending`:
   * ask `readRefresh` for that try.
   */
  beginRefresh(input: { readonly credentialId: CredentialId; readonly generation: number }): Promise<{
    readonly kind: RefreshKind;
    readonly refreshTry: number;
  }>;
  readRefresh(input: {
    readonly credentialId: CredentialId;
    readonly generation: number;
    readonly refreshTry: number;
  }): Promise<{ readonly kind: RefreshKind }>;
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

export interface SweepResult {
  readonly started: number;
  readonly ended: number;
  readonly finished: number;
  readonly deleted: number;
  /** Integrations woken whose deliveries or hooks were due and waited. */
  readonly woken: number;
  /** Refreshes begun because they fell due. */
  readonly refreshes: number;
  /** Grants whose coming end was told. */
  readonly warned: number;
  /** Held deliveries that fell out of their bounds. */
  readonly expired: number;
}

export interface SweepActivities {
  /** Ends abandoned exchanges, starts what was written but not started, finishes creations and deletions. */
  sweep(): Promise<SweepResult>;
}

export type Activities = ReauthActivities &
  InvalidateActivities &
  TestActivities &
  DeletionActivities &
  RefreshActivities &
  WebhookActivities &
  SweepActivities;

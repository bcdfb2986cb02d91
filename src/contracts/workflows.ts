import type { CauseCode } from '../domain/cause.js';
import type { CredentialTestOutcome } from '../domain/credential-test.js';
import type { RevocationOutcome } from './activities.js';
import type { CredentialId, EntityId, IntegrationId, ProviderId, SessionId } from '../domain/ids.js';

export interface ReauthInput {
  readonly sessionId: SessionId;
  readonly provider: ProviderId;
  /** How long a provider that is down is waited for before the attempt ends. Milliseconds. */
  readonly connectWithinMs: number;
}

export interface Connection {
  readonly credentialId: CredentialId;
  readonly entityId: EntityId;
}

export interface ReauthResult extends Connection {
  /** Integrations that became ENABLED. */
  readonly restored: number;
}

export interface TestCredentialInput {
  readonly credentialId: CredentialId;
  readonly provider: ProviderId;
  /** Waits between the repeats that a refusal needs before it counts, in milliseconds. */
  readonly graceMs: readonly number[];
}

export interface TestCredentialResult {
  readonly outcome: CredentialTestOutcome | 'gone';
}

export interface RefreshInput {
  readonly credentialId: CredentialId;
  readonly provider: ProviderId;
  readonly generation: number;
  readonly refreshTry: number;
  /** How long after a request its answer may still come: past the HTTP timeout. Milliseconds. */
  readonly settleMs: number;
  /** The first wait after a failure; each further one is twice as long, up to `longestWaitMs`. Milliseconds. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** After this long the run gives up and lets another begin. Milliseconds. */
  readonly giveUpAfterMs: number;
}

export type RefreshResult =
  | { readonly outcome: 'refreshed'; readonly generation: number }
  /** Not decided yet. ISO 8601, UTC: when to ask again. */
  | { readonly outcome: 'pending'; readonly retryAt: string }
  | { readonly outcome: 'dead' | 'not_refreshable' | 'operator_fault' | 'gone' };

export interface InvalidateInput {
  readonly credentialId: CredentialId;
  readonly provider: ProviderId;
  /** The epoch that was found dead. */
  readonly epoch: number;
  readonly code: CauseCode;
  readonly httpStatus: number | null;
  /** The provider's own code for its refusal, checked for its form; for the log. */
  readonly providerError?: string | null;
}

export interface InvalidateResult {
  readonly outcome: 'invalidated' | 'overtaken';
  /** Integrations whose status became ERROR. */
  readonly errors: number;
}

export interface DeleteCredentialInput {
  readonly credentialId: CredentialId;
  readonly provider: ProviderId;
  /** Of the mark. */
  readonly epoch: number;
  /** How long a provider that is away is asked to revoke before the tokens go all the same. Milliseconds. */
  readonly revokeWithinMs: number;
}

export interface DeleteCredentialResult {
  readonly outcome: 'removed' | 'emptied' | 'overtaken';
  readonly revocation: RevocationOutcome;
}

export interface WebhooksInput {
  readonly integrationId: IntegrationId;
  /** How long an idle run waits for more before it ends. Milliseconds. */
  readonly lingerMs: number;
  /** The run continues as a new one when its history is longer than this, or the server suggests it. */
  readonly continueAfterEvents: number;
}

export interface WebhooksResult {
  /** Of this run, without those of the runs it continued from. */
  readonly handled: number;
  readonly failed: number;
  readonly discarded: number;
}

import type { CauseCode } from '../../domain/cause.js';
import type { CredentialKind } from '../../domain/credential-kind.js';
import type { CredentialTestOutcome } from '../../domain/credential-test.js';
import type { CredentialId, ExternalId, ProviderId, UserId } from '../../domain/ids.js';
import type { Page, PageRequest } from './page.js';

/** Why a credential was declared dead. */
export interface CredentialVerdict {
  readonly code: CauseCode;
  readonly httpStatus: number | null;
  readonly since: Date;
}

export interface Credential {
  readonly id: CredentialId;
  readonly userId: UserId;
  readonly provider: ProviderId;
  /** The provider's id of the grant's holder; unique with user and provider. May differ from the entity's. */
  readonly externalId: ExternalId;
  readonly kind: CredentialKind;
  /** The token set, sealed to this row. */
  readonly sealedTokens: string;
  readonly refreshable: boolean;
  readonly expiresAt: Date | null;
  readonly authIsValid: boolean;
  readonly verdict: CredentialVerdict | null;
  /** Rises when tokens are written, and only then. */
  readonly generation: number;
  /** Rises with every change, of the tokens or of the verdict. */
  readonly epoch: number;
  /** Of the session whose grant this is. */
  readonly grantSequence: number;
  readonly lastTest: { readonly outcome: CredentialTestOutcome; readonly generation: number; readonly at: Date } | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface GrantWrite {
  readonly kind: CredentialKind;
  readonly sealedTokens: string;
  readonly refreshable: boolean;
  readonly expiresAt: Date | null;
  readonly grantSequence: number;
}

export interface CredentialStore {
  getCredential(id: CredentialId): Promise<Credential | null>;
  getCredentialForUser(id: CredentialId, userId: UserId): Promise<Credential | null>;
  listCredentials(userId: UserId, page: PageRequest): Promise<Page<Credential>>;
  /** The one made last, of any user; null when there is none. For a look, at the start, whether our keys open it. */
  findAnyCredential(): Promise<Credential | null>;
  findCredentialByExternalId(userId: UserId, provider: ProviderId, externalId: ExternalId): Promise<Credential | null>;
  /** Null when (user, provider, external id) exists already: the unique key decides between two inserts at once. */
  insertCredential(
    key: Pick<Credential, 'id' | 'userId' | 'provider' | 'externalId'>,
    grant: GrantWrite,
    now: Date,
  ): Promise<Credential | null>;
  /**
   * Writes a new grant over an older one: generation + 1, epoch + 1, valid, no verdict. Holds only while the row's
   * grantSequence is lower and its epoch is still `epoch` (what the caller merged with); null otherwise.
   */
  replaceGrant(id: CredentialId, epoch: number, grant: GrantWrite, now: Date): Promise<Credential | null>;
  /** Declares the credential dead: epoch + 1. Holds only at `epoch` and while it is valid; null otherwise. */
  markCredentialInvalid(
    id: CredentialId,
    epoch: number,
    verdict: CredentialVerdict,
    now: Date,
  ): Promise<Credential | null>;
  /** Takes the verdict back after a passed test: epoch + 1. Holds only at `epoch` and while it is invalid. */
  markCredentialValid(id: CredentialId, epoch: number, now: Date): Promise<Credential | null>;
  /** Notes a test's outcome without touching generation or epoch. No-op when `generation` is not the stored one. */
  recordCredentialTest(
    id: CredentialId,
    test: { outcome: CredentialTestOutcome; generation: number; at: Date },
  ): Promise<void>;
}

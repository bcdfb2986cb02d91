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
  /** How many refresh runs of this generation gave up: part of the next run's id. */
  readonly refreshTry: number;
  /** The mark of a refresh: how many token POSTs were begun for this generation. */
  readonly refreshPosts: number;
  /** When the POST was begun whose answer is not known; null while every answer is known. */
  readonly refreshPostedAt: Date | null;
  /** When the sweep refreshes it; null: it does not fall due. */
  readonly refreshDueAt: Date | null;
  /** When the grant ends whatever is done, and only a reconnect helps; null when nobody says. */
  readonly grantEndsAt: Date | null;
  /** When to warn of that; null: never, or done. */
  readonly grantWarnAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A token set as it is stored, with the times that follow from it. */
export interface TokensWrite {
  readonly sealedTokens: string;
  readonly refreshable: boolean;
  readonly expiresAt: Date | null;
  readonly refreshDueAt: Date | null;
}

export interface GrantWrite extends TokensWrite {
  readonly kind: CredentialKind;
  readonly grantEndsAt: Date | null;
  readonly grantWarnAt: Date | null;
  readonly grantSequence: number;
}

export interface CredentialStore {
  getCredential(id: CredentialId): Promise<Credential | null>;
  getCredentialForUser(id: CredentialId, userId: UserId): Promise<Credential | null>;
  listCredentials(userId: UserId, page: PageRequest): Promise<Page<Credential>>;
  /** The one made last that holds tokens, of any user; null when there is none. For a look, at the start, whether our keys open it. */
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
  /**
   * Passes a verdict: epoch + 1, and due for no refresh unless only the client was rejected. Holds only at `epoch`, and
   * while it is valid, or `client_rejected` and now found dead for another reason; null otherwise.
   */
  markCredentialInvalid(
    id: CredentialId,
    epoch: number,
    verdict: CredentialVerdict,
    now: Date,
  ): Promise<Credential | null>;
  /**
   * Takes the verdict back after a passed test: epoch + 1. Holds only at `epoch`, while it is invalid, and not of one
   * that its user deleted.
   */
  markCredentialValid(id: CredentialId, epoch: number, now: Date): Promise<Credential | null>;
  /** Notes a test's outcome without touching generation or epoch. No-op when `generation` is not the stored one. */
  recordCredentialTest(
    id: CredentialId,
    test: { outcome: CredentialTestOutcome; generation: number; at: Date },
  ): Promise<void>;
  /**
   * Stores what a refresh brought: generation + 1, epoch + 1, valid, no verdict, the refresh counters from the start.
   * Holds only at `generation`, and only while the credential may be refreshed (valid, or dead because this product's
   * own client was rejected, which says nothing against the grant), or is dead as `refresh_outcome_unknown`: this is the
   * answer that counted as lost. Null otherwise.
   */
  compareAndSetTokens(id: CredentialId, generation: number, tokens: TokensWrite, now: Date): Promise<Credential | null>;
  /**
   * Marks that a token POST is about to be made: refreshPosts + 1, refreshPostedAt = `now`. Of all callers with the same
   * `posts` one gets the row; the others, and whoever comes too late for `generation`, get null. Holds only
   * while the credential may be refreshed.
   */
  markRefreshPosted(id: CredentialId, generation: number, posts: number, now: Date): Promise<Credential | null>;
  /** Notes that the answer to POST number `posts` is known and brought no tokens. False when the mark is another. */
  clearRefreshPosted(id: CredentialId, generation: number, posts: number): Promise<boolean>;
  /**
   * Lets another run begin: refreshTry + 1, due at `dueAt`. Holds only at this generation and try, so that of many
   * callers one raises it.
   */
  raiseRefreshTry(id: CredentialId, generation: number, refreshTry: number, dueAt: Date): Promise<boolean>;
  /** Moves the time at which it falls due, while it is of this generation. */
  postponeRefresh(id: CredentialId, generation: number, dueAt: Date): Promise<boolean>;
  /** Those of a provider that are due by `now` and may be refreshed, the longest overdue first. */
  listDueRefreshes(provider: ProviderId, now: Date, limit: number): Promise<readonly Credential[]>;
  /** Living grants that end soon and of which nobody was warned. */
  listEndingGrants(now: Date, limit: number): Promise<readonly Credential[]>;
  /** Takes the warning off the list; true for one of many callers. */
  noteGrantWarned(id: CredentialId, warnAt: Date): Promise<boolean>;
}

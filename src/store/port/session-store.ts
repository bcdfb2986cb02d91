import type { CredentialId, EntityId, ExternalId, ProviderId, SessionId, UserId } from '../../domain/ids.js';
import type { SessionState } from '../../domain/session.js';

/** Whose grant it is, as the identity call said. */
export interface ProvenAccount {
  /** The key of the entity. */
  readonly externalId: ExternalId;
  /** The key of the credential. */
  readonly credentialExternalId: ExternalId;
  readonly name: string | null;
}

export interface Session {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly provider: ProviderId;
  readonly state: SessionState;
  /** The `redirect_uri` sent to the provider; the token request repeats it (RFC 6749 section 4.1.3). */
  readonly redirectUri: string;
  /** True when `redirectUri` is the adopter's own page, which delivers the code by `POST /api/authorize`. */
  readonly ownRedirect: boolean;
  readonly returnUrl: string | null;
  /** The account this attempt must come back with; null when any will do. */
  readonly expectedEntityId: EntityId | null;
  readonly expectedExternalId: ExternalId | null;
  /** SHA-256 of the cookie of the browser that pressed the start page's button. */
  readonly browserHash: string | null;
  /** PKCE verifier and what the state was made of, sealed to this row. */
  readonly sealedRequest: string;
  /** The token set, sealed to this row; null before the exchange and after the credential is stored. */
  readonly sealedGrant: string | null;
  /** Rises with every exchange that succeeded, over all sessions: of two reconnects the later one wins. */
  readonly grantSequence: number | null;
  /** The account the identity call reported, noted before anything is stored elsewhere; null until then. */
  readonly account: ProvenAccount | null;
  readonly credentialId: CredentialId | null;
  readonly entityId: EntityId | null;
  /** An ErrorCode, when `state` is failed. */
  readonly errorCode: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly updatedAt: Date;
}

export type NewSession = Pick<
  Session,
  | 'id'
  | 'userId'
  | 'provider'
  | 'redirectUri'
  | 'ownRedirect'
  | 'returnUrl'
  | 'expectedEntityId'
  | 'expectedExternalId'
  | 'sealedRequest'
  | 'expiresAt'
> & { readonly stateHash: string };

/**
 * Authorization sessions. Every method that writes is one conditional write on one row and says by its result whether
 * the condition held; callers never look first and write then.
 */
export interface SessionStore {
  insertSession(session: NewSession): Promise<Session>;
  getSession(id: SessionId): Promise<Session | null>;
  findSessionByStateHash(stateHash: string): Promise<Session | null>;
  /**
   * Binds the session to the browser that pressed the button. Holds when the session is pending, not expired, and not
   * bound to another browser; binding the same browser again changes nothing and returns the session.
   */
  bindBrowser(id: SessionId, browserHash: string, now: Date): Promise<Session | null>;
  /**
   * pending and not expired -> exchanging. Null when somebody else claimed it, or it ended or expired. `now` decides
   * about the expiry; `updatedAt` becomes the database's time, from which {@link endAbandonedSession} counts.
   */
  claimSession(id: SessionId, now: Date): Promise<Session | null>;
  /** exchanging -> exchanged, with the sealed grant and the next grant sequence, in one write. */
  sealGrant(id: SessionId, sealedGrant: string, now: Date): Promise<Session | null>;
  /**
   * Notes the proven account on an exchanged session, once; repeating it with the same one returns the session. From
   * then on the attempt can only go forward. Null when the session is in another state or names another account.
   */
  recordAccount(id: SessionId, account: ProvenAccount, now: Date): Promise<Session | null>;
  /** exchanged -> connected. The sealed grant goes in the same write. Repeating it returns the session unchanged. */
  connectSession(id: SessionId, credentialId: CredentialId, entityId: EntityId, now: Date): Promise<Session | null>;
  /** connected -> restored. */
  completeSession(id: SessionId, now: Date): Promise<Session | null>;
  /**
   * from -> failed, with the code; the sealed grant goes in the same write. From `exchanged` only while no account is
   * recorded: what is proven may be on its way into the credential already.
   */
  endSession(id: SessionId, from: SessionState, errorCode: string, now: Date): Promise<Session | null>;
  /** exchanged -> failed, also with an account recorded: for an attempt whose credential was deleted before it connected. */
  endOrphanedSession(id: SessionId, errorCode: string, now: Date): Promise<Session | null>;
  /**
   * exchanging -> failed, with the code, when the claim is more than `olderThanMs` old. Who claimed and who asks are two
   * machines, so no clock of theirs counts: the database's does, in the condition of the write. A database that has no
   * clock there is asked for its time first; a time that got old on the way only ends the session later.
   */
  endAbandonedSession(id: SessionId, olderThanMs: number, errorCode: string): Promise<Session | null>;
  /** What {@link endAbandonedSession} would end, by the same clock, oldest first. */
  listAbandonedSessions(olderThanMs: number, limit: number): Promise<Session[]>;
  /** Sessions in one of `states` not updated since `before`, oldest first. */
  listStaleSessions(states: readonly SessionState[], before: Date, limit: number): Promise<Session[]>;
  /** Sets `updatedAt` while the session is in `state`: the sweep passes each one only once a round. */
  touchSession(id: SessionId, state: SessionState, now: Date): Promise<void>;
  /** Deletes sessions that ended, or were never claimed, before `before`; returns how many. At most `limit`. */
  deleteEndedSessions(before: Date, limit: number): Promise<number>;
}

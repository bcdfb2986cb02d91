import type { CredentialId } from '../../domain/ids.js';
import type { Credential } from './credential-store.js';

/**
 * How a credential goes: marked first, so that nothing can use it, revoked then, and removed at last. Every step carries
 * the epoch of the mark: a reconnect in between makes the rest of them no-ops.
 */
export interface CredentialDeletionStore {
  /**
   * Its user deletes it: epoch + 1, dead with the verdict `credential_deleted`, due for nothing. The tokens stay until
   * they are revoked. Holds only at `epoch`, and not of one that is deleted already; null otherwise.
   */
  markCredentialDeleted(id: CredentialId, epoch: number, now: Date): Promise<Credential | null>;
  /** Empties the sealed tokens of a deleted credential. Holds only at `epoch`; repeating it changes nothing. */
  wipeCredential(id: CredentialId, epoch: number): Promise<boolean>;
  /** Removes the row of a deleted credential to which no entity points. Holds only at `epoch`. */
  deleteCredential(id: CredentialId, epoch: number): Promise<boolean>;
  /** Deleted credentials that still hold tokens, not updated since `before`, oldest first. */
  listUnfinishedDeletions(before: Date, limit: number): Promise<readonly Credential[]>;
  /**
   * Puts newer tokens in the place of those that a deleted credential still holds, so that its revocation finds them:
   * neither counter rises. Holds only at `generation`; false otherwise, and once the tokens are gone.
   */
  keepTokensOfDeleted(id: CredentialId, generation: number, sealedTokens: string): Promise<boolean>;
  /** Sets `updatedAt` while the credential is deleted at `epoch`: the sweep passes each one only once a round. */
  touchDeletion(id: CredentialId, epoch: number, now: Date): Promise<void>;
  /**
   * Removes the entities that point to the credential and that no integration uses, and returns how many. Only those
   * that no grant later than `grantSequence` has pointed there: a reconnect meanwhile keeps its own.
   */
  deleteUnusedEntities(credentialId: CredentialId, grantSequence: number): Promise<number>;
}

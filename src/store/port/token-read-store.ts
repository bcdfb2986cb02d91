import type { CredentialId, TokenReadId, UserId } from '../../domain/ids.js';
import type { Page, PageRequest } from './page.js';

/** One token handed out to the adopter's own back end. */
export interface TokenRead {
  /** Sorts by time. */
  readonly id: TokenReadId;
  readonly credentialId: CredentialId;
  readonly userId: UserId;
  /** The API key's name, as RELINK_API_KEYS gives it; never the key. */
  readonly apiKey: string;
  readonly generation: number;
  /** Of the HTTP request, as in the log. */
  readonly requestId: string;
  readonly readAt: Date;
}

/** Who got which token, and when. Outlives the credential. */
export interface TokenReadStore {
  insertTokenRead(read: TokenRead): Promise<void>;
  /** Oldest first. */
  listTokenReads(credentialId: CredentialId, page: PageRequest): Promise<Page<TokenRead>>;
  /** Deletes those read before `before`, at most `limit`; returns how many. */
  deleteTokenReads(before: Date, limit: number): Promise<number>;
}

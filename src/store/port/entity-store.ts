import type { CredentialId, EntityId, ExternalId, ProviderId, UserId } from '../../domain/ids.js';
import type { Page, PageRequest } from './page.js';

export interface Entity {
  readonly id: EntityId;
  readonly userId: UserId;
  readonly provider: ProviderId;
  /** The provider's id of the account; unique with user and provider. */
  readonly externalId: ExternalId;
  /** The account's name as the provider shows it. */
  readonly name: string | null;
  readonly credentialId: CredentialId;
  /** Of the grant that last set `credentialId`: an older one never repoints. */
  readonly grantSequence: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type EntityWrite = Pick<
  Entity,
  'id' | 'userId' | 'provider' | 'externalId' | 'name' | 'credentialId' | 'grantSequence'
>;

export interface EntityStore {
  getEntity(id: EntityId): Promise<Entity | null>;
  getEntityForUser(id: EntityId, userId: UserId): Promise<Entity | null>;
  listEntities(userId: UserId, page: PageRequest): Promise<Page<Entity>>;
  /**
   * Creates the entity of (user, provider, external id), or repoints the existing one to `credentialId` when
   * `grantSequence` is higher than the row's. `id` is used only on creation. Returns the row as it stands after.
   *
   * @throws RelinkError `not_found`: the credential is gone, and nothing was written.
   */
  upsertEntity(write: EntityWrite, now: Date): Promise<Entity>;
}

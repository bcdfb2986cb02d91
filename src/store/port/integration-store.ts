import type {
  CredentialId,
  EntityId,
  ExternalId,
  IntegrationId,
  IntegrationType,
  ProviderId,
  UserId,
} from '../../domain/ids.js';
import type { IntegrationState } from '../../domain/integration-state.js';
import type { IntegrationStatus } from '../../domain/status.js';
import type { IntegrationGateRow } from './delivery-rows.js';
import type { Page, PageRequest } from './page.js';

export interface Integration {
  readonly id: IntegrationId;
  readonly userId: UserId;
  readonly type: IntegrationType;
  /** Sorted; one integration exists per (user, type, set of entities). */
  readonly entityIds: readonly EntityId[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly state: IntegrationState;
  /** Always computeStatus(state); stored in the same write. */
  readonly status: IntegrationStatus;
  readonly statusSince: Date;
  /**
   * Since when it was cut off, set by the write that put it back to work and cleared once its hooks (subscription,
   * onReconnected) ran; null when there is nothing to make up for.
   */
  readonly resumeSince: Date | null;
  /** Rises with every write; the compare-and-set counter. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type NewIntegration = Pick<Integration, 'id' | 'userId' | 'type' | 'entityIds' | 'config' | 'state'>;

export interface IntegrationChange {
  readonly state: IntegrationState;
  /** Left as it is unless given. */
  readonly resumeSince?: Date | null;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** An account at a provider. */
export interface AccountKey {
  readonly provider: ProviderId;
  readonly externalId: ExternalId;
}

export interface AccountIntegrations extends AccountKey {
  readonly integrationIds: readonly IntegrationId[];
}

export interface IntegrationStore {
  /** Inserts, or returns the one that exists for (user, type, set of entities): the unique key decides. */
  insertIntegration(
    integration: NewIntegration,
    now: Date,
  ): Promise<{ readonly integration: Integration; readonly created: boolean }>;
  getIntegration(id: IntegrationId): Promise<Integration | null>;
  getIntegrationForUser(id: IntegrationId, userId: UserId): Promise<Integration | null>;
  listIntegrations(
    userId: UserId,
    filter: { readonly status?: IntegrationStatus; readonly entityId?: EntityId },
    page: PageRequest,
  ): Promise<Page<Integration>>;
  /** The query at the heart of the restore: every integration that references the entity. */
  findIntegrationsByEntityId(entityId: EntityId, page: PageRequest): Promise<Page<Integration>>;
  /** Every integration of every entity that points to the credential now. */
  findIntegrationsByCredentialId(credentialId: CredentialId, page: PageRequest): Promise<Page<Integration>>;
  /** Every integration on which a cause of this credential is open, whatever its entities point to now. */
  findIntegrationsByCauseCredentialId(credentialId: CredentialId, page: PageRequest): Promise<Page<Integration>>;
  /** The credentials that the integration's entities point to now. */
  getCurrentCredentialIds(id: IntegrationId): Promise<ReadonlySet<CredentialId>>;
  /** Writes state, status and (if given) config while the row's version is still `version`; null otherwise. */
  compareAndSetIntegration(
    id: IntegrationId,
    version: number,
    change: IntegrationChange,
    now: Date,
  ): Promise<Integration | null>;
  /** Removes the row. Only of an integration that is IN_DELETION; false otherwise. */
  deleteIntegration(id: IntegrationId): Promise<boolean>;
  /** Integrations whose resumeSince is set and that were not updated since `before`, oldest first. */
  listUnresumedIntegrations(before: Date, page: PageRequest): Promise<Page<Integration>>;
  /**
   * Of the next `limit` in the order of their ids those that have no subscription's row: a page may be empty though others
   * follow, so that its cost has a bound. At most 500.
   */
  listUnsubscribedIntegrations(page: PageRequest): Promise<Page<IntegrationGateRow>>;
  /**
   * For each of these accounts the integrations on it but those of `exceptTypes`, whoever their users, the oldest
   * `limitEach`: what a webhook to a provider's one address is for. An account that nobody connected has none, and may be
   * left out.
   */
  findIntegrationsOnAccounts(
    accounts: readonly AccountKey[],
    exceptTypes: readonly string[],
    limitEach: number,
  ): Promise<readonly AccountIntegrations[]>;
  /** Integrations in this lifecycle not updated since `before`, oldest first: what the sweep finishes. */
  listStaleIntegrations(lifecycle: 'creating' | 'deleting', before: Date, limit: number): Promise<Integration[]>;
}

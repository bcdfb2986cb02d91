import type { CredentialDeletionStore } from './credential-deletion-store.js';
import type { CredentialStore } from './credential-store.js';
import type { DeliveryStore } from './delivery-store.js';
import type { EntityStore } from './entity-store.js';
import type { IntegrationStore } from './integration-store.js';
import type { SessionStore } from './session-store.js';
import type { SubscriptionStore } from './subscription-store.js';
import type { TokenReadStore } from './token-read-store.js';

export * from './credential-deletion-store.js';
export * from './credential-store.js';
export * from './delivery-rows.js';
export * from './delivery-store.js';
export * from './entity-store.js';
export * from './integration-store.js';
export * from './page.js';
export * from './session-store.js';
export * from './subscription-store.js';
export * from './token-read-store.js';

/**
 * The port: one interface per aggregate, every write a single-row write. An adapter passes test/contract unchanged.
 * Connection failures surface as RelinkError `database_unavailable`.
 */
export interface Store
  extends
    SessionStore,
    CredentialStore,
    CredentialDeletionStore,
    EntityStore,
    IntegrationStore,
    DeliveryStore,
    SubscriptionStore,
    TokenReadStore {
  /** Resolves when the database answers and is migrated; rejects with what to do otherwise. */
  check(): Promise<void>;
  close(): Promise<void>;
}

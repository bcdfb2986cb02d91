import type { IntegrationId } from '../../domain/ids.js';
import type { Page, PageRequest } from './page.js';

/** What an integration's ensureSubscription last brought: its webhook's secrets and when it has to be ensured again. */
export interface Subscription {
  readonly integrationId: IntegrationId;
  /** JSON array of secrets, newest first, sealed to this row; null while none was brought. */
  readonly sealedSecrets: string | null;
  /** When the provider drops it; null: never, or nobody knows. */
  readonly expiresAt: Date | null;
  /** When it has to be ensured again; null: not by itself. */
  readonly dueAt: Date | null;
  /** Why the last try failed; null when it succeeded. A failure leaves secrets and expiry as they were. */
  readonly failure: { readonly detail: string; readonly since: Date; readonly tries: number } | null;
  readonly version: number;
}

export type SubscriptionWrite = Omit<Subscription, 'integrationId' | 'version'>;

export interface SubscriptionStore {
  getSubscription(integrationId: IntegrationId): Promise<Subscription | null>;
  /** Writes while the row's version is still `version` (0: there is none yet); null otherwise. */
  compareAndSetSubscription(
    integrationId: IntegrationId,
    version: number,
    write: SubscriptionWrite,
  ): Promise<Subscription | null>;
  /** Subscriptions due at `now`, longest due first. */
  listDueSubscriptions(now: Date, page: PageRequest): Promise<Page<Subscription>>;
  deleteSubscription(integrationId: IntegrationId): Promise<void>;
}

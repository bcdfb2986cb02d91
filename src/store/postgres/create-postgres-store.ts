import type { Store } from '../port/store.js';
import { checkDatabase } from './check-database.js';
import { createClient, type PostgresOptions } from './create-client.js';
import { createCredentialStore } from './credentials.js';
import { createDeliveryStore } from './deliveries.js';
import { createEntityStore } from './entities.js';
import { createIntegrationStore } from './integrations.js';
import { createSessionStore } from './sessions.js';
import { createSubscriptionStore } from './subscriptions.js';

export type { PostgresOptions } from './create-client.js';

/**
 * The store port on PostgreSQL. Opens no connection before the first call; `close()` ends the pool.
 *
 * Timeouts: 5 s to get a connection, 15 s for a statement. Whatever goes wrong with the connection is RelinkError
 * `database_unavailable`, and the store works again by itself once the database does.
 */
export function createPostgresStore(options: PostgresOptions): Store {
  const client = createClient(options);
  return {
    ...createSessionStore(client),
    ...createCredentialStore(client),
    ...createEntityStore(client),
    ...createIntegrationStore(client),
    ...createDeliveryStore(client),
    ...createSubscriptionStore(client),
    check: () => checkDatabase(client),
    close: () => client.$disconnect(),
  };
}

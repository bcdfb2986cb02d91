import type { Pool } from 'pg';
import { mapErrors } from '../map-errors.js';
import type { Store } from '../port/store.js';
import { checkDatabase } from './check-database.js';
import { createClient } from './create-client.js';
import { createDirectQuery, createPool, type PostgresOptions } from './create-pool.js';
import { createCredentialDeletions } from './credential-deletions.js';
import { createCredentialStore } from './credentials.js';
import { createDeliveryStore } from './deliveries.js';
import { createEntityStore } from './entities.js';
import { createIntegrationStore } from './integrations.js';
import { createSessionStore } from './sessions.js';
import { toStoreError } from './map-database-error.js';
import { createSubscriptionStore } from './subscriptions.js';
import { createTokenReadStore } from './token-reads.js';

/**
 * The store port on PostgreSQL. Opens no connection before the first call; `close()` ends the pool.
 *
 * Timeouts: 5 s to get a connection, 15 s for a statement. Whatever goes wrong with the connection is RelinkError
 * `database_unavailable`, and the store works again by itself once the database does.
 */
export function createPostgresStore(options: PostgresOptions): Store {
  return openPostgresStore(createPool(options), options);
}

/** The same over a pool that is there; `close()` ends it too. */
export function openPostgresStore(pool: Pool, options: PostgresOptions): Store {
  const client = createClient(pool, options.databaseUrl, options.statementTimeoutMs);
  const direct = createDirectQuery(pool, options.databaseUrl);
  return mapErrors<Store>(
    {
      ...createSessionStore(client),
      ...createCredentialStore(client),
      ...createCredentialDeletions(client),
      ...createEntityStore(client),
      ...createIntegrationStore(client, direct),
      ...createDeliveryStore(client, direct),
      ...createSubscriptionStore(client),
      ...createTokenReadStore(client),
      check: () => checkDatabase(client),
      close: async () => {
        await client.$disconnect();
        if (!pool.ending) await pool.end();
      },
    },
    toStoreError,
  );
}

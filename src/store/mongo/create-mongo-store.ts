import { mapErrors } from '../map-errors.js';
import type { Store } from '../port/store.js';
import { checkMongo } from './check-mongo.js';
import { connectMongo, openCollections, type MongoConnection, type MongoOptions } from './connect.js';
import { createCredentialDeletions } from './credential-deletions.js';
import { createCredentialStore } from './credentials.js';
import { createDeliveryStore } from './deliveries.js';
import { createEntityStore } from './entities.js';
import { createIntegrationStore } from './integrations.js';
import { toMongoStoreError } from './map-mongo-error.js';
import { createSessionStore } from './sessions.js';
import { createTokenReadStore } from './token-reads.js';
import { createSubscriptionStore } from './subscriptions.js';

/**
 * The store port on MongoDB and Amazon DocumentDB, by the official driver. Opens no connection before the first call;
 * `close()` ends the pool.
 *
 * Timeouts: 5 s to find a primary and get a connection, 20 s for an answer. Whatever goes wrong with the connection is
 * RelinkError `database_unavailable`, and the store works again by itself once the database does.
 */
export function createMongoStore(options: MongoOptions): Store {
  return openMongoStore(connectMongo(options));
}

/** The same over a connection that is there; `close()` ends it too. */
export function openMongoStore(connection: MongoConnection): Store {
  const collections = openCollections(connection.db);
  return mapErrors<Store>(
    {
      ...createSessionStore(connection, collections),
      ...createCredentialStore(collections),
      ...createCredentialDeletions(collections),
      ...createEntityStore(collections),
      ...createIntegrationStore(collections),
      ...createDeliveryStore(collections),
      ...createSubscriptionStore(collections),
      ...createTokenReadStore(collections),
      check: () => checkMongo(collections),
      close: () => connection.client.close(),
    },
    error => toMongoStoreError(error, connection.profile),
  );
}

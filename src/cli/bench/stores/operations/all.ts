import type { Operation } from '../operation.js';
import { accountOperations } from './accounts.js';
import { credentialOperations } from './credentials.js';
import { deliveryOperations } from './deliveries.js';
import { deliveryReadOperations } from './delivery-reads.js';
import { deliveryPageOperations } from './delivery-pages.js';
import { integrationOperations } from './integrations.js';
import { refreshOperations } from './refreshes.js';
import { sessionOperations } from './sessions.js';

/**
 * Every method of the port that a connect, a request, a refresh, a webhook or a page of the API calls. What only the
 * sweep, the upkeep of deliveries and deletions call is left out: its plans are looked at, its pace matters to nobody.
 */
export const operations: readonly Operation[] = [
  ...sessionOperations,
  ...credentialOperations,
  ...refreshOperations,
  ...accountOperations,
  ...integrationOperations,
  ...deliveryOperations,
  ...deliveryReadOperations,
  ...deliveryPageOperations,
];

import { whyNoEmbeddedMongo } from '../start-test-mongo.js';
import { report } from '../test-servers.js';
import type { E2eStore } from './start-e2e-stack.js';

const known: readonly E2eStore[] = ['postgres', 'mongo', 'documentdb'];
const unlessNamed: readonly E2eStore[] = ['postgres', 'mongo'];

/**
 * The stores that these tests run on here; one that cannot be had is named. `RELINK_TEST_STORE` asks for one of them
 * alone: `npm run test:e2e:mongo` runs all of them on MongoDB, `npm run test:e2e:documentdb` as on DocumentDB.
 *
 * @param inBoth Whether `npm test` runs them on MongoDB too, and not on PostgreSQL alone.
 * @throws Error for a store that these tests do not run on.
 */
export function e2eStores(what: string, inBoth = false): readonly E2eStore[] {
  const wanted = process.env['RELINK_TEST_STORE'] ?? (inBoth ? undefined : 'postgres');
  const stores = wanted === undefined ? unlessNamed : known.filter(store => wanted === store);
  if (stores.length === 0) throw new Error(`RELINK_TEST_STORE must be one of ${known.join(', ')}, not "${wanted}"`);
  const missing = whyNoEmbeddedMongo();
  if (missing === undefined || stores.every(store => store === 'postgres')) return stores;
  for (const store of stores) if (store !== 'postgres') report(`NOT TESTED: ${what} on ${store}: ${missing}`);
  return stores.filter(store => store === 'postgres');
}

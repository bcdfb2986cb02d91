import { whyNoEmbeddedMongo } from '../start-test-mongo.js';
import { report } from '../test-servers.js';
import type { E2eStore } from './start-e2e-stack.js';

const known: readonly E2eStore[] = ['postgres', 'mongo'];

/**
 * The stores that these tests run on here; one that cannot be had is named. `RELINK_TEST_STORE` asks for one of them
 * alone: `npm run test:e2e:mongo` runs all of them on MongoDB.
 *
 * @param inBoth Whether also `npm test` runs them on MongoDB: those that take longest it runs on PostgreSQL alone.
 * @throws Error for a store that these tests do not run on.
 */
export function e2eStores(what: string, inBoth = true): readonly E2eStore[] {
  const wanted = process.env['RELINK_TEST_STORE'] ?? (inBoth ? undefined : 'postgres');
  const stores = known.filter(store => wanted === undefined || wanted === store);
  if (stores.length === 0) throw new Error(`RELINK_TEST_STORE must be one of ${known.join(', ')}, not "${wanted}"`);
  const missing = whyNoEmbeddedMongo();
  if (missing === undefined || !stores.includes('mongo')) return stores;
  report(`NOT TESTED: ${what} on mongo: ${missing}`);
  return stores.filter(store => store !== 'mongo');
}

import { whyNoMongo } from '../start-test-mongo.js';
import { report } from '../test-servers.js';
import type { E2eStore } from './start-e2e-stack.js';

/**
 * The stores that these tests run on here; one that cannot be had is named. `RELINK_TEST_STORE` asks for one of them
 * alone: `npm run test:e2e:mongo` runs all of them on MongoDB.
 *
 * @param inBoth Whether also `npm test` runs them on MongoDB: those that take longest it runs on PostgreSQL alone.
 */
export function e2eStores(what: string, inBoth = true): readonly E2eStore[] {
  const wanted = process.env['RELINK_TEST_STORE'] ?? (inBoth ? undefined : 'postgres');
  const stores = (['postgres', 'mongo'] as const).filter(store => wanted === undefined || wanted === store);
  const missing = whyNoMongo();
  if (missing === undefined || !stores.includes('mongo')) return stores;
  report(`NOT TESTED: ${what} on mongo: ${missing}`);
  return stores.filter(store => store !== 'mongo');
}

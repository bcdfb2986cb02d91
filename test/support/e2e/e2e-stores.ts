import { whyNoMongo } from '../start-test-mongo.js';
import { report } from '../test-servers.js';
import type { E2eStore } from './start-e2e-stack.js';

/** The stores that these tests run on here; one that cannot be had is named. */
export function e2eStores(what: string): readonly E2eStore[] {
  const missing = whyNoMongo();
  if (missing === undefined) return ['postgres', 'mongo'];
  report(`NOT TESTED: ${what} on mongo: ${missing}`);
  return ['postgres'];
}

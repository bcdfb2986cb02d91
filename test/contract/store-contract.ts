import type { Store } from '../../src/store/port/store.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import type { LeaveOut, StoreUnderTest } from './fixtures.js';
import { describeAbsentValues } from './suites/absent-values.js';
import { describeCredentialDeletions } from './suites/credential-deletions.js';
import { describeCredentialRefresh } from './suites/credential-refresh.js';
import { describeCredentials } from './suites/credentials.js';
import { describeDeliveryClaims } from './suites/delivery-claims.js';
import { describeDeliveryEnds } from './suites/delivery-ends.js';
import { describeDeliveryIntake } from './suites/delivery-intake.js';
import { describeDeliveryQueues } from './suites/delivery-queues.js';
import { describeDeliveryUpkeep } from './suites/delivery-upkeep.js';
import { describeEntities } from './suites/entities.js';
import { describeComebacks } from './suites/integration-comebacks.js';
import { describeIntegrations } from './suites/integrations.js';
import { describeLostConnections } from './suites/lost-connections.js';
import { describePages } from './suites/pages.js';
import { describeSessionSweep } from './suites/session-sweep.js';
import { describeSessions } from './suites/sessions.js';
import { describeSubscriptions } from './suites/subscriptions.js';
import { describeTokenReads } from './suites/token-reads.js';

export interface StoreServer {
  /** A store of its own on the shared, empty and migrated database, as another process would open it. */
  open(): Store;
  /** The same by way of a wire to `databaseUrl`. */
  openBy(wire: CuttableProxy): Store;
  readonly databaseUrl: string;
  readonly leaveOut: LeaveOut;
  stop(): Promise<void>;
}

/** The first run on MongoDB builds the server, which takes minutes; no case of the suite may take as long. */
const startTimeoutMs = 300_000;

/** The rules of the store port. Every adapter runs this suite unchanged. */
export function describeStore(name: string, start: () => Promise<StoreServer>): void {
  describe(`the store port on ${name}`, () => {
    let server: StoreServer | undefined;
    let stores: StoreUnderTest | undefined;

    beforeAll(async () => {
      server = await start();
      const wire = await startCuttableProxy(server.databaseUrl);
      const { leaveOut } = server;
      stores = { first: server.open(), second: server.open(), wired: server.openBy(wire), wire, leaveOut };
    }, startTimeoutMs);

    afterAll(async () => {
      await Promise.all([stores?.first.close(), stores?.second.close(), stores?.wired.close()]);
      await stores?.wire.close();
      await server?.stop();
    });

    const under = () => {
      if (stores === undefined) throw new Error('the store did not start');
      return stores;
    };

    it('says that it is ready', async () => {
      await expect(under().first.check()).resolves.toBeUndefined();
    });

    describeSessions(under);
    describeSessionSweep(under);
    describeCredentials(under);
    describeCredentialRefresh(under);
    describeCredentialDeletions(under);
    describeEntities(under);
    describeIntegrations(under);
    describeComebacks(under);
    describeDeliveryIntake(under);
    describeDeliveryClaims(under);
    describeDeliveryEnds(under);
    describeDeliveryQueues(under);
    describeDeliveryUpkeep(under);
    describeSubscriptions(under);
    describeTokenReads(under);
    describePages(under);
    describeAbsentValues(under);
    describeLostConnections(under);
  });
}

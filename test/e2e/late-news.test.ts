import { Client, Connection } from '@temporalio/client';
import { testWorkflowId } from '../../src/contracts/workflow-ids.js';
import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';
import { connectAndIntegrate, expectWorking, untilRestored } from '../support/e2e/scenes.js';
import { type SlowWire, startSlowWire } from '../support/e2e/slow-wire.js';
import { type E2eStack, startE2eStack } from '../support/e2e/start-e2e-stack.js';
import { idOf } from '../support/ids.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

/**
 * One worker falls behind in the middle of a step: it has looked at the world, and what it saw is kept from it until the
 * world has moved on. It has one slot, so that everything else goes to the other worker.
 */
let stack: E2eStack;
let wire: SlowWire;
let connection: Connection;
let slow: RoleProcess;
let quick: RoleProcess | undefined;

describe.each(e2eStores('late news'))('on %s', store => {
  beforeAll(async () => {
    stack = await startE2eStack({ store });
    await stack.startServer();
    wire = await startSlowWire(stack, store);
    connection = await Connection.connect({ address: stack.temporalAddress });
  }, 300_000);
  afterAll(async () => {
    await connection?.close();
    await stack?.stop();
    await wire?.close();
  }, 60_000);
  beforeEach(async () => {
    slow = await stack.startWorker({ DATABASE_URL: wire.url, RELINK_DATABASE_POOL: '1' });
  });
  afterEach(async () => {
    await wire.resume();
    await Promise.all([slow.stop(), quick?.stop()]);
  });

  /** Starts the step, stops the slow worker between its listing of the integrations and its first write, and brings the other. */
  async function holdBackAfterListing<T>(begin: () => Promise<T>): Promise<T> {
    const begun = await wire.stopAfterListing(begin);
    quick = await stack.startWorker();
    return begun;
  }

  describe('a worker that falls behind', () => {
    it('does not put an integration into ERROR for a grant that was replaced meanwhile', async () => {
      const user = stack.user();
      const old = await connectAndIntegrate(user, 'acme');
      await stack.sandbox.revoke('acme');
      await holdBackAfterListing(() => user.post(`${old.credentialPath}/test`));
      expect((await user.get(old.credentialPath)).body.auth_is_valid).toBe(false);

      const again = await user.connect('acme', { entityId: old.entityId });
      expect(again.status).toBe(200);
      await untilRestored(user, again.attempt);
      await expectWorking(user, old);
      const before = await stack.database.snapshot(user.userId);

      await wire.resume();
      // Its end waits for the end of the invalidation.
      await new Client({ connection }).workflow
        .getHandle(testWorkflowId(idOf('credential', old.credentialId), 1))
        .result();
      await expectWorking(user, old);
      const integrations = (text: string) => text.split('\n').filter(line => line.startsWith('integrations'));
      expect(integrations(await stack.database.snapshot(user.userId))).toEqual(integrations(before));
    }, 60_000);

    it('does not put an integration back to work on a grant that died meanwhile', async () => {
      const user = stack.user();
      const old = await connectAndIntegrate(user, 'acme');
      const consent = await user.consent('acme', { entityId: old.entityId });
      await holdBackAfterListing(async () => expect((await consent.deliver()).status).toBe(200));

      await stack.sandbox.revoke('acme');
      await user.post(`${old.credentialPath}/test`);
      const dead = await user.until(old.integrationPath, found => found.status === 'ERROR');
      expect(dead.causes).toHaveLength(1);

      await wire.resume();
      await untilRestored(user, consent.attempt);
      expect((await user.get(old.integrationPath)).body).toEqual(dead);
      expect((await user.get(old.credentialPath)).body.auth_is_valid).toBe(false);
    }, 60_000);
  });
});

import type { ApiClient } from '../../src/cli/api-client.js';
import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';
import { type Connected, connectAndIntegrate, expectWorking } from '../support/e2e/scenes.js';
import type { E2eStack } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { until } from '../support/e2e/until.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;
let worker: RoleProcess;

describe.each(e2eStores('a killed refresh'))('on %s', store => {
  beforeAll(async () => {
    ({ stack, worker } = await startRunningStack({ RELINK_REFRESH_TIMEOUT: '8' }, store));
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  interface Scene {
    readonly user: ApiClient;
    readonly of: Connected;
  }

  async function connect(account: string): Promise<Scene> {
    const user = stack.user();
    return { user, of: await connectAndIntegrate(user, account) };
  }

  /** Has the token refreshed: its test meets a 401. */
  async function refresh({ user, of }: Scene, account: string): Promise<void> {
    await stack.sandbox.expire(account);
    expect((await user.post(`${of.credentialPath}/test`)).status).toBe(202);
  }

  const untilGeneration = ({ user, of }: Scene, generation: number) =>
    user.until(of.credentialPath, found => found.generation === generation, 60_000);

  describe('a worker killed with -9 while it refreshes', () => {
    it('before the request loses nothing; between request and answer the guarded retry decides', async () => {
      const [before, kept, rotated] = [
        await connect('umbrella-ann'),
        await connect('globex'),
        await connect('initech'),
      ];

      // Before: the mark waits for a lock, so no request is made.
      const lock = await stack.database.hold('credentials', before.of.credentialId);
      const early = await stack.sandbox.countTokenRequests(async () => {
        await refresh(before, 'umbrella-ann');
        await stack.database.untilBlockedCount(1);
      });
      expect(early).toBe(0);

      // Between: the provider has carried the request out, and its answer is on the way.
      await stack.sandbox.fault({ endpoint: 'refresh', kind: 'late', delayMs: 6_000, count: 2 });
      await stack.sandbox.untilAsked('token', () => refresh(kept, 'globex'));
      await stack.sandbox.untilAsked('token', () => refresh(rotated, 'initech'));
      await worker.kill();
      await stack.database.endBlocked();
      await lock.release();
      const retries = await stack.sandbox.countTokenRequests(async () => {
        worker = await stack.startWorker();
        await untilGeneration(before, 2);
        await untilGeneration(kept, 2);
        await rotated.user.until(rotated.of.credentialPath, found => found.auth_is_valid === false, 60_000);
        await rotated.user.until(rotated.of.integrationPath, found => found.status === 'ERROR');
      });

      expect(retries).toBe(3);
      await expectWorking(before.user, before.of);
      await expectWorking(kept.user, kept.of);
      expect((await rotated.user.get(rotated.of.integrationPath)).body.causes).toMatchObject([
        { code: 'refresh_outcome_unknown' },
      ]);
    }, 150_000);
  });

  describe('Temporal away during a refresh', () => {
    it('is waited for, and the refresh is made once', async () => {
      const scene = await connect('globex');
      await stack.sandbox.fault({ endpoint: 'refresh', kind: 'late', delayMs: 2_000, count: 1 });
      const requests = await stack.sandbox.countTokenRequests(async () => {
        await stack.sandbox.untilAsked('token', () => refresh(scene, 'globex'));
        await stack.temporal.kill();
        await until('the answer is stored meanwhile', async () => {
          return (await stack.database.record('credentials', scene.of.credentialId))['generation'] === 2;
        });
        await stack.temporal.start();
        await untilGeneration(scene, 2);
      });
      expect(requests).toBe(1);
      await expectWorking(scene.user, scene.of);
    }, 90_000);
  });
});

import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';
import type { HeldLock, HeldTable } from '../support/e2e/held-writes.js';
import {
  breakGrant,
  connectAndIntegrate,
  expectWorking,
  type Reconnect,
  untilRestored,
} from '../support/e2e/scenes.js';
import type { E2eStack } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { until } from '../support/e2e/until.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;
let worker: RoleProcess;

describe.each(e2eStores('a killed worker'))('on %s', store => {
  beforeAll(async () => {
    ({ stack, worker } = await startRunningStack({ RELINK_CALLBACK_DEADLINE: '2' }, store));
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);

  /** Where a worker can be caught: a record that the step's write waits for, and what the caller has been told by then. */
  interface Step {
    readonly name: string;
    readonly lock: (reconnect: Reconnect) => readonly [table: HeldTable, id: string];
    readonly answer: 200 | 202;
  }

  const steps: readonly Step[] = [
    {
      name: 'the credential is written (persistCredential)',
      lock: ({ old }) => ['credentials', old.credentialId],
      answer: 202,
    },
    {
      name: 'the entity is written (upsertEntity)',
      lock: ({ old }) => ['entities', old.entityId],
      answer: 202,
    },
    {
      name: 'the integration is written (restoreIntegrationStatuses)',
      lock: ({ old }) => ['integrations', old.integrationId],
      answer: 200,
    },
  ];

  /** Users whose integration is in ERROR and who have consented anew: the callbacks are next. */
  async function prepare(count: number): Promise<Reconnect[]> {
    const users = Array.from({ length: count }, () => stack.user());
    const broken: Omit<Reconnect, 'consent'>[] = [];
    for (const user of users) broken.push({ user, old: await connectAndIntegrate(user, 'acme') });
    await Promise.all(broken.map(({ user, old }) => breakGrant(stack, user, 'acme', old)));
    // Only now: a revocation reaches every grant of the account.
    return Promise.all(
      broken.map(async ({ user, old }) => ({
        user,
        old,
        consent: await user.consent('acme', { entityId: old.entityId }),
      })),
    );
  }

  async function expectOneConnection({ user, old, consent }: Reconnect): Promise<void> {
    await untilRestored(user, consent.attempt, 60_000);
    await expectWorking(user, old);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ id: old.credentialId, generation: 2 }]);
    expect((await user.get('/api/entities')).body.data).toMatchObject([{ id: old.entityId }]);
    expect((await user.get('/api/integrations')).body.data).toMatchObject([{ id: old.integrationId }]);
    const repeated = await consent.deliver();
    expect(repeated.status).toBe(200);
    expect(repeated.body).toMatchObject({ credential_id: old.credentialId, entity_id: old.entityId });
  }

  /**
   * One kill catches attempts at every step at once: that a worker is gone shows only when an activity's time is over (15
   * seconds, 30 for the restore), and this way that time is spent once.
   */
  async function killAtEveryStep(settle: (locks: readonly HeldLock[]) => Promise<void>): Promise<void> {
    const reconnects = await prepare(steps.length + 1);
    const requests = await stack.sandbox.countTokenRequests(async () => {
      const locks: HeldLock[] = [];
      const answers: Promise<number>[] = [];
      const deliver = ({ consent }: Reconnect) => answers.push(consent.deliver().then(({ status }) => status));
      for (const [index, reconnect] of reconnects.entries()) {
        const step = steps[index];
        if (step === undefined) {
          await stack.sandbox.fault({ endpoint: 'identity', kind: 'hang', count: 1 });
          await stack.sandbox.untilAsked('identity', () => deliver(reconnect));
          continue;
        }
        const [table, id] = step.lock(reconnect);
        locks.push(await stack.database.hold(table, id));
        deliver(reconnect);
        await stack.database.untilBlockedCount(index + 1);
      }
      await worker.kill();
      await settle(locks);
      expect(await Promise.all(answers)).toEqual([...steps.map(step => step.answer), 202]);
      worker = await stack.startWorker();
      for (const reconnect of reconnects) await expectOneConnection(reconnect);
    });
    expect(requests).toBe(reconnects.length);
  }

  describe('a worker killed with -9 in the identity call and in every write', () => {
    it('leaves work that the next worker finishes, when its statements died with it', async () => {
      await killAtEveryStep(async locks => {
        await stack.database.endBlocked();
        for (const lock of locks) await lock.release();
      });
    }, 120_000);

    it('leaves work that the next worker finishes, when the database carried its statements out', async () => {
      await killAtEveryStep(async locks => {
        for (const lock of locks) await lock.release();
        await until('they are carried out', async () => (await stack.database.blocked()).length === 0);
      });
    }, 120_000);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { ApiClient } from '../../src/cli/api-client.js';
import { testWorkflowId } from '../../src/contracts/workflow-ids.js';
import type { HeldLock } from '../support/e2e/held-writes.js';
import { deliverTo } from '../support/e2e/deliver-to.js';
import {
  breakGrant,
  type Connected,
  type Consent,
  connectAndIntegrate,
  expectWorking,
  untilRestored,
} from '../support/e2e/scenes.js';
import { type E2eServer, type E2eStack, startE2eStack } from '../support/e2e/start-e2e-stack.js';
import { unsealTokens } from '../support/e2e/unseal.js';
import { idOf } from '../support/ids.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';

let stack: E2eStack;
let first: E2eServer;
let second: E2eServer;
let connection: Connection;

describe.each(e2eStores('races of reconnects'))('on %s', store => {
  beforeAll(async () => {
    stack = await startE2eStack({ store });
    first = await stack.startServer();
    second = await stack.startServer();
    await Promise.all([stack.startWorker(), stack.startWorker()]);
    connection = await Connection.connect({ address: stack.temporalAddress });
  }, 300_000);
  afterAll(async () => {
    await connection?.close();
    await stack?.stop();
  }, 60_000);
  afterEach(() => stack.sandbox.clearFaults());

  const providerAccepts = async (credentialId: string) => {
    const { accessToken } = await unsealTokens(stack, credentialId);
    const answer = await fetch(`${stack.sandbox.url}/identity`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    return answer.status === 200;
  };

  interface Grant {
    readonly number: unknown;
    readonly credentialId: unknown;
  }

  /** The sessions' grants, the later one last. */
  async function grantsOf(consents: readonly Consent[]): Promise<Grant[]> {
    const attempts = consents.map(({ attempt }) => stack.database.record('authorization_sessions', attempt));
    const sessions = await Promise.all(attempts);
    return sessions
      .map(session => ({ number: session['grant_sequence'], credentialId: session['credential_id'] }))
      .sort((left, right) => Number(left.number) - Number(right.number));
  }

  /** Two browsers, two server processes, one instant. */
  async function deliverBoth(user: ApiClient, consents: readonly [Consent, Consent]): Promise<void> {
    const answers = await Promise.all([deliverTo(first.url, consents[0]), deliverTo(second.url, consents[1])]);
    expect(answers.map(answer => answer.status)).toEqual([200, 200]);
    for (const { attempt } of consents) await untilRestored(user, attempt);
  }

  describe('two reconnects of one entity at once', () => {
    const delays: Record<string, readonly Record<string, unknown>[]> = {
      'nothing in the way': [],
      'the identity call of one delayed': [{ endpoint: 'identity', delayMs: 1_200, count: 1 }],
      'the exchange of one delayed': [{ endpoint: 'token', delayMs: 600, count: 1 }],
      'the exchange of one and the identity call of the other delayed': [
        { endpoint: 'token', delayMs: 500, count: 1 },
        { endpoint: 'identity', delayMs: 1_200, count: 1 },
      ],
      'the first identity call of both failing': [{ endpoint: 'identity', status: 503, count: 2 }],
    };

    it.each(Object.entries(delays))('both end well and the later grant wins, with %s', async (_name, faults) => {
      const user = stack.user();
      const old = await connectAndIntegrate(user, 'acme');
      await breakGrant(stack, user, 'acme', old);
      for (let round = 0; round < 2; round += 1) {
        const query = { entityId: old.entityId };
        const consents = [await user.consent('acme', query), await user.consent('acme', query)] as const;
        for (const fault of faults) await stack.sandbox.fault(fault);
        await deliverBoth(user, consents);
        const later = (await grantsOf(consents)).at(-1);
        const { grant_sequence: stored } = await stack.database.record('credentials', old.credentialId);
        expect(stored).toEqual(later?.number);
        expect(await providerAccepts(old.credentialId)).toBe(true);
        await expectWorking(user, old);
        expect((await user.get('/api/credentials')).body.data).toHaveLength(1);
      }
    });

    it('points the entity to the later grant when two of the account’s users reconnect it', async () => {
      const user = stack.user();
      const old = await connectAndIntegrate(user, 'umbrella-ann');
      for (let round = 0; round < 5; round += 1) {
        // The pause ends with a reconnect; in ERROR it cannot be, as its grant holds a refresh token.
        await user.patch(old.integrationPath, { status: 'DISABLED' });
        const query = { entityId: old.entityId };
        const consents = [
          await user.consent('umbrella-ann', query),
          await user.consent('umbrella-bob', query),
        ] as const;
        if (round % 2 === 1) await stack.sandbox.fault({ endpoint: 'identity', delayMs: 700, count: 1 });
        await deliverBoth(user, consents);
        const grants = await grantsOf(consents);
        const entity = await stack.database.record('entities', old.entityId);
        expect(grants[0]?.credentialId).not.toBe(grants[1]?.credentialId);
        expect(entity).toMatchObject({ credential_id: grants[1]?.credentialId, grant_sequence: grants[1]?.number });
        expect((await user.get(old.integrationPath)).body).toMatchObject({ status: 'ENABLED', causes: [] });
      }
    });
  });

  describe('a reconnect that meets an invalidation', () => {
    const users = 6;
    interface Racer {
      readonly user: ApiClient;
      readonly old: Connected;
    }

    const makeRacers = () =>
      Promise.all(
        Array.from({ length: users }, async (): Promise<Racer> => {
          const user = stack.user();
          return { user, old: await connectAndIntegrate(user, 'acme') };
        }),
      );

    /** Asks for a test and waits until the run that answers for it is over, whichever generation it was for. */
    async function runTest({ user, old }: Racer): Promise<void> {
      const before = (await user.get(old.credentialPath)).body.generation ?? 0;
      expect((await user.post(`${old.credentialPath}/test`)).status).toBe(202);
      const after = (await user.get(old.credentialPath)).body.generation ?? 0;
      for (let generation = before; generation <= after; generation += 1) {
        const workflowId = testWorkflowId(idOf('credential', old.credentialId), generation);
        await new Client({ connection }).workflow
          .getHandle(workflowId)
          .result()
          .catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          });
      }
    }

    /** What must hold whoever won: dead and in ERROR with its cause, or alive and ENABLED without one. */
    async function expectConsistent({ user, old }: Racer): Promise<boolean> {
      const { body: credential } = await user.get(old.credentialPath);
      const { body: integration } = await user.get(old.integrationPath);
      const seen = { valid: credential.auth_is_valid, status: integration.status, causes: integration.causes?.length };
      expect([
        { valid: true, status: 'ENABLED', causes: 0 },
        { valid: false, status: 'ERROR', causes: 1 },
      ]).toContainEqual(seen);
      return credential.auth_is_valid === true;
    }

    const within = (ms: number) => sleep(Math.random() * ms);

    it('ends ENABLED whenever the news of the old grant’s death comes', async () => {
      for (let round = 0; round < 4; round += 1) {
        const racers = await makeRacers();
        await stack.sandbox.revoke('acme');
        await Promise.all(
          racers.map(async (racer, index) => {
            const consent = await racer.user.consent('acme', { entityId: racer.old.entityId });
            const server = index % 2 === 0 ? first : second;
            // The death is told about a second after the test began: the callback comes at any time around that.
            const tested = runTest(racer);
            await within(round % 2 === 0 ? 100 : 1_600);
            expect((await deliverTo(server.url, consent)).status).toBe(200);
            await untilRestored(racer.user, consent.attempt);
            await tested;
            expect(await expectConsistent(racer)).toBe(true);
          }),
        );
      }
    }, 90_000);

    it('ends as the provider sees it when the new grant dies at once', async () => {
      for (let round = 0; round < 4; round += 1) {
        const racers = await makeRacers();
        const consents = await Promise.all(
          racers.map(({ user, old }) => user.consent('acme', { entityId: old.entityId })),
        );
        const revoked = within(250).then(() => stack.sandbox.revoke('acme'));
        await Promise.all(
          racers.map(async (racer, index) => {
            const consent = consents[index];
            if (consent === undefined) throw new Error('no consent');
            const tested = within(300).then(() => runTest(racer));
            await within(200);
            // The grant may be dead already when its code or its token is used: then the attempt ends, and that is all.
            const { status } = await deliverTo((index % 2 === 0 ? first : second).url, consent);
            expect([200, 502]).toContain(status);
            if (status === 200) await untilRestored(racer.user, consent.attempt);
            await Promise.all([tested, revoked]);
            await expectConsistent(racer);
            await runTest(racer);
            expect(await expectConsistent(racer)).toBe(await providerAccepts(racer.old.credentialId));
          }),
        );
      }
    }, 90_000);

    /** Both writes wait for the integration's row; what is told first is written first. */
    async function holdIntegration(): Promise<Racer & { consent: Consent; lock: HeldLock }> {
      const [racer] = await makeRacers();
      if (racer === undefined) throw new Error('no racer');
      await stack.sandbox.revoke('acme');
      const consent = await racer.user.consent('acme', { entityId: racer.old.entityId });
      const lock = await stack.database.hold('integrations', racer.old.integrationId);
      return { ...racer, consent, lock };
    }

    it('ends ENABLED when the cause of the old grant and the restore wait for the same row', async () => {
      const { consent, lock, ...racer } = await holdIntegration();
      const tested = runTest(racer);
      await stack.database.untilBlocked('integrations');
      expect((await consent.deliver()).status).toBe(200);
      await stack.database.untilBlockedCount(2);
      await lock.release();
      await untilRestored(racer.user, consent.attempt);
      await tested;
      expect(await expectConsistent(racer)).toBe(true);
    });

    it('ends in ERROR when the restore and the death of the new grant wait for the same row', async () => {
      const { consent, lock, ...racer } = await holdIntegration();
      // The row knows nothing of the old grant's death; its restore writes the new epoch all the same.
      expect((await consent.deliver()).status).toBe(200);
      await stack.database.untilBlocked('integrations');
      await stack.sandbox.revoke('acme');
      const tested = runTest(racer);
      await stack.database.untilBlockedCount(2);
      await lock.release();
      await untilRestored(racer.user, consent.attempt);
      await tested;
      expect(await expectConsistent(racer)).toBe(false);
    });
  });
});

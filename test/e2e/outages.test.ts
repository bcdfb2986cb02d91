import type { ApiClient } from '../../src/cli/api-client.js';
import { breakGrant, connectAndIntegrate, expectWorking, untilRestored } from '../support/e2e/scenes.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import { type E2eServer, type E2eStack } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { until } from '../support/e2e/until.js';
import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';

let stack: E2eStack;
let server: E2eServer;
let worker: RoleProcess;

const health = async () => {
  const answer = await fetch(`${server.url}/health`);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

/** What the attempt cost and left: one exchange, one credential, its integration at work. */
const expectPending = (attempt: string, answer: Awaited<ReturnType<ApiClient['connect']>>) => {
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ attempt, status: 'pending', status_url: `/api/authorize/${attempt}` });
};

describe.each(e2eStores('outages'))('while something is away, on %s', store => {
  beforeAll(async () => {
    ({ stack, server, worker } = await startRunningStack({ RELINK_CALLBACK_DEADLINE: '1.5' }, store));
  }, 300_000);
  afterAll(() => stack?.stop(), 60_000);
  afterEach(() => stack.sandbox.clearFaults());

  it('accepts a callback whose identity call finds the provider down, and connects by itself', async () => {
    const user = stack.user();
    const old = await connectAndIntegrate(user, 'acme');
    await breakGrant(stack, user, 'acme', old);
    const consent = await user.consent('acme', { entityId: old.entityId });
    const before = await stack.database.snapshot(user.userId);
    await stack.sandbox.fault({ endpoint: 'identity', status: 503 });

    const asked = await stack.sandbox.counters();
    const answer = { attempt: consent.attempt, ...(await consent.deliver()) };
    expectPending(consent.attempt, answer);
    await until('the worker asks again and again', async () => {
      return (await stack.sandbox.counters()).identity_requests >= asked.identity_requests + 4;
    });
    expect((await user.get(answer.body.status_url ?? '')).body.status).toBe('exchanged');
    expect(await stack.database.snapshot(user.userId)).toBe(before);

    await stack.sandbox.clearFaults();
    await untilRestored(user, consent.attempt);
    await expectWorking(user, old);
    expect((await stack.sandbox.counters()).token_requests).toBe(asked.token_requests + 1);
  });

  it('answers although the database dies during the restore, which is finished when it is back', async () => {
    const user = stack.user();
    const old = await connectAndIntegrate(user, 'acme');
    await breakGrant(stack, user, 'acme', old);
    const consent = await user.consent('acme', { entityId: old.entityId });

    const lock = await stack.database.hold('integrations', old.integrationId);
    const answer = await consent.deliver();
    expect(answer.status).toBe(200);
    await stack.database.untilBlocked('integrations');
    await stack.postgres.kill();
    await lock.release();

    expect(await health()).toMatchObject({ status: 503, body: { database: 'unreachable', temporal: 'ok' } });
    expect((await user.get(old.integrationPath)).status).toBe(503);
    await stack.postgres.start();
    expect(await stack.database.sessionState(consent.attempt)).toBe('connected');
    await untilRestored(user, consent.attempt);
    await expectWorking(user, old);
    expect((await consent.deliver()).body).toEqual(answer.body);
  }, 60_000);

  it('accepts a callback while Temporal is away, and the sweep connects it when it is back', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await stack.temporal.kill();
    expect(await health()).toMatchObject({ status: 200, body: { status: 'degraded', temporal: 'unreachable' } });
    const requests = await stack.sandbox.countTokenRequests(async () => {
      expectPending(consent.attempt, { attempt: consent.attempt, ...(await consent.deliver()) });
      expect(await stack.database.sessionState(consent.attempt)).toBe('exchanged');
      // A repeat must not exchange again either.
      expectPending(consent.attempt, { attempt: consent.attempt, ...(await consent.deliver()) });
      await stack.temporal.start();
      await untilRestored(user, consent.attempt);
    });
    expect(requests).toBe(1);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ auth_is_valid: true, generation: 1 }]);
    expect((await consent.deliver()).status).toBe(200);
  }, 60_000);

  it('finishes at the next start what was accepted before everything went down', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await stack.temporal.kill();
    const requests = await stack.sandbox.countTokenRequests(async () => {
      expectPending(consent.attempt, { attempt: consent.attempt, ...(await consent.deliver()) });
      await server.process.kill();
      await worker.kill();
      await stack.postgres.kill();
      await stack.postgres.start();
      await stack.temporal.start();
      server = await stack.startServer();
      worker = await stack.startWorker();
      await untilRestored(user, consent.attempt);
    });
    expect(requests).toBe(1);
    expect((await user.get('/api/credentials')).body.data).toMatchObject([{ auth_is_valid: true, generation: 1 }]);
  }, 60_000);
});

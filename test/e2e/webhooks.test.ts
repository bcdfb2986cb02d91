import { setTimeout as sleep } from 'node:timers/promises';
import { sendWebhook } from '../../src/embedded/sandbox/send-webhook.js';
import type { RoleProcess } from '../../src/embedded/process/spawn-role.js';
import { sandboxWebhookSecret } from '../../src/embedded/start-backing-services.js';
import { isId } from '../../src/domain/ids.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/port/store.js';
import { e2eStores } from '../support/e2e/e2e-stores.js';
import type { E2eServer, E2eStack } from '../support/e2e/start-e2e-stack.js';
import { startRunningStack } from '../support/e2e/start-running-stack.js';
import { until } from '../support/e2e/until.js';
import { makeWebhookUserOn, recorderModule, type WebhookUser } from '../support/webhook-user.js';

let stack: E2eStack;
let server: E2eServer;
let worker: RoleProcess;
let secret: string;
let store: Store;

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

const makeUser = (type: string) =>
  makeWebhookUserOn({ user: () => stack.user(), revoke: account => stack.sandbox.revoke(account), secret }, type);

/** How many deliveries are in each state; none while the database is away. */
const stateCounts = async ({ integrationId }: WebhookUser): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  if (!isId('integration', integrationId)) return counts;
  const page = { limit: 100, after: null };
  const { rows } = await store.listDeliveries(integrationId, {}, page).catch(() => ({ rows: [] }));
  for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
};

/** Every one at least once, and the first runs of each in the order of arrival. */
const expectAllInOrder = (user: WebhookUser, count: number) => {
  const firsts = [...new Set(user.handled())];
  expect(firsts).toEqual(range(count));
};

describe.each(e2eStores('webhooks'))('webhooks on %s, with every part a process of its own', kind => {
  beforeAll(async () => {
    ({ stack, server, worker } = await startRunningStack({ RELINK_INTEGRATIONS: recorderModule }, kind));
    secret = sandboxWebhookSecret(stack.secrets.sandboxClientSecret);
    store = await openStore({ databaseUrl: stack.databaseUrl, poolSize: 1 });
  }, 300_000);
  afterAll(async () => {
    await store?.close();
    await stack?.stop();
  }, 60_000);

  it('loses none when the worker is killed in the middle of its work, again and again', async () => {
    const user = await makeUser('patient');
    for (const n of range(40)) expect(await user.send({ n, waitMs: 40 })).toBe(200);
    for (let kill = 1; kill <= 3; kill += 1) {
      await user.untilHandled(kill * 8, 60_000);
      await worker.kill();
      worker = await stack.startWorker();
    }
    await until('all are handled', async () => (await stateCounts(user))['succeeded'] === 40, 90_000);
    expectAllInOrder(user, 40);
    // A killed worker may repeat the one it had in hand, and no other.
    expect(user.handled().length).toBeLessThanOrEqual(43);
    const keys = range(40).map(n => [
      ...new Set(user.lines('begin').flatMap(line => (line.n === n ? [line.key] : []))),
    ]);
    // The same one each time that it ran, and each its own.
    expect(keys.map(({ length }) => length)).toEqual(range(40).map(() => 1));
    expect(new Set(keys.flat()).size).toBe(40);
  }, 150_000);

  it('ends a delivery FAILED that takes the worker down each time, counts its runs, and goes on', async () => {
    const user = await makeUser('patient');
    await user.send({ n: 0, waitMs: 15_000 });
    await user.send({ n: 1 });
    const runs = () => user.lines('begin').filter(line => line.n === 0).length;
    for (let run = 1; run <= 4; run += 1) {
      await until(`run ${run} has begun`, async () => runs() === run, 60_000);
      await worker.kill();
      worker = await stack.startWorker();
    }
    await until('the other one is handled', async () => (await stateCounts(user))['succeeded'] === 1, 90_000);
    expect(runs()).toBe(4);
    const { body } = await user.user.get(`${user.path}/deliveries?state=failed`);
    // Which one a killed worker had in hand is not known the first time: that run is not counted.
    expect(body.data).toMatchObject([{ attempts: 3, outcome: { reason: 'handler_crashed' } }]);
  }, 240_000);

  it('shows a hook at its integration that takes the worker down twice in a row, and handles its deliveries all the same', async () => {
    const user = await makeUser('lingering');
    for (let run = 1; run <= 2; run += 1) {
      await until(`run ${run} has begun`, async () => user.lines('ensure').length === run, 60_000);
      await worker.kill();
      worker = await stack.startWorker();
    }
    await user.send({ n: 0 });
    expect(await user.untilHandled(1, 60_000)).toEqual([0]);
    expect(user.lines('ensure')).toHaveLength(2);
    expect((await user.user.get(user.path)).body).toMatchObject({
      status: 'ENABLED',
      subscription: { failure: { detail: 'ensureSubscription: the worker ended while it ran, 2 times in a row' } },
    });
  }, 150_000);

  it('takes webhooks in while Temporal is away, and all are handled after it is back', async () => {
    const user = await makeUser('recorder');
    await stack.temporal.kill();
    for (const n of range(20)) expect(await user.send({ n })).toBe(200);
    await sleep(1_000);
    expect(user.handled()).toEqual([]);
    await stack.temporal.start();
    await until('all are handled', async () => (await stateCounts(user))['succeeded'] === 20, 90_000);
    expect(user.handled()).toEqual(range(20));
  }, 120_000);

  it('stores a delivery once that comes to two server processes at the same time, and answers both', async () => {
    const user = await makeUser('recorder');
    const other = await stack.startServer();
    const send = (relinkUrl: string, n: number) =>
      sendWebhook({
        relinkUrl,
        integrationId: user.integrationId,
        secret,
        deliveryId: `same-${n}`,
        body: JSON.stringify({ n }),
      });
    for (const n of range(20)) {
      expect(await Promise.all([send(server.url, n), send(other.url, n), send(server.url, n)])).toEqual([
        200, 200, 200,
      ]);
    }
    await until('all are handled', async () => (await stateCounts(user))['succeeded'] === 20, 30_000);
    expect(user.handled()).toEqual(range(20));
    await other.process.stop();
  }, 60_000);

  it('answers 503 while the database is away, never a 2xx, and takes the same webhook when it is back', async () => {
    const user = await makeUser('recorder');
    await stack.postgres.kill();
    expect(await user.send({ n: 0 }, 'again')).toBe(503);
    await stack.postgres.start();
    await until('it is taken in', async () => (await user.send({ n: 0 }, 'again')) === 200, 30_000);
    await until('it is handled', async () => (await stateCounts(user))['succeeded'] === 1, 60_000);
    expect(user.handled()).toEqual([0]);
  }, 120_000);

  it('wakes by the sweep what a killed server had committed and not signalled', async () => {
    const user = await makeUser('recorder');
    await stack.temporal.kill();
    for (const n of range(5)) expect(await user.send({ n })).toBe(200);
    await server.process.kill();
    await stack.temporal.start();
    await until('the sweep has them handled', async () => (await stateCounts(user))['succeeded'] === 5, 90_000);
    expect(user.handled()).toEqual(range(5));
    server = await stack.startServer();
  }, 120_000);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule } from '../support/webhook-user.js';
import { idOf } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule, RELINK_CALLBACK_DEADLINE: '5' });
  await stack.startWorker();
});
afterAll(() => stack.stop());

const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

const ended = async (integrationId: string) => {
  const handle = stack.core.client.workflow.getHandle(`webhooks/${integrationId}`);
  return (await handle.result()) as unknown;
};

describe('webhooks', () => {
  it('handles what comes in, once and in the order of arrival, and ends when nothing more comes', async () => {
    const { integrationId, send, untilHandled, lines } = await makeWebhookUser(stack, 'recorder');
    for (const n of range(30)) expect(await send({ n })).toBe(200);
    expect(await untilHandled(30)).toEqual(range(30));
    expect(new Set(lines('begin').map(line => line.key)).size).toBe(30);
    expect(await ended(integrationId)).toEqual({ handled: 30, failed: 0, discarded: 0 });
    await recordHistory(stack.core.client, `webhooks/${integrationId}`, 'webhooks-handled');
  });

  it('holds while the credential is dead, starts no workflow for it, and releases in order before newer ones', async () => {
    const { integrationId, send, die, reconnect, untilHandled, handled, user, path } = await makeWebhookUser(
      stack,
      'recorder',
    );
    await die();
    await sleep(1_100);
    for (const n of range(20)) expect(await send({ n })).toBe(200);
    await expect(stack.core.client.workflow.getHandle(`webhooks/${integrationId}`).describe()).rejects.toThrow();
    expect(handled()).toEqual([]);
    const { body } = await user.get(`${path}/deliveries?state=queued`);
    expect(body.data).toHaveLength(20);
    expect(body.data?.every(row => row['held'] === true)).toBe(true);
    await reconnect();
    for (const n of range(5, 20)) await send({ n });
    expect(await untilHandled(25)).toEqual(range(25));
  });
});

describe('deliveries that fail', () => {
  it('keep those behind them waiting, are tried again, and go on in order once they succeed', async () => {
    const { integrationId, send, untilHandled, lines } = await makeWebhookUser(stack, 'recorder');
    await send({ n: 0 });
    await send({ n: 1, do: 'throw-until', attempt: 3 });
    await send({ n: 2 });
    expect(await untilHandled(3)).toEqual([0, 1, 2]);
    expect(lines('begin').map(line => [line.n, line.attempt])).toEqual([
      [0, 1],
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
    ]);
    expect(await ended(integrationId)).toMatchObject({ handled: 3, failed: 0 });
  });

  it('end FAILED when the handler refuses them, and let the others by', async () => {
    const { user, path, send, untilHandled } = await makeWebhookUser(stack, 'recorder');
    await send({ n: 0, do: 'refuse' });
    await send({ n: 1 });
    expect(await untilHandled(1)).toEqual([1]);
    const { body } = await user.get(`${path}/deliveries?state=failed`);
    expect(body.data).toMatchObject([
      { attempts: 1, outcome: { reason: 'handler_refused', detail: 'this will never work' }, held: false },
    ]);
    expect(JSON.stringify(stack.logLines)).not.toContain('secret-of-the-handler');
  });

  it('are told in the details of the workflow, with the time of the next attempt', async () => {
    const { integrationId, user, path, send } = await makeWebhookUser(stack, 'recorder');
    await send({ n: 0, do: 'throw' });
    await send({ n: 1 });
    // Its third attempt is four seconds later, longer than a consumer lingers.
    const { data } = await user.until(`${path}/deliveries`, page => page.data?.[0]?.['attempts'] === 2);
    const handle = stack.core.client.workflow.getHandle(`webhooks/${integrationId}`);
    const details = async () =>
      (await handle.query<{ readonly currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
    const tried = /^Handled in this run: 0; FAILED: 0\. A delivery failed and is tried again at (\S+Z)\. /;
    const until = Date.now() + 10_000;
    while (!tried.test(await details()) && Date.now() < until) await sleep(50);
    const [, at = ''] = tried.exec(await details()) ?? [];
    expect(Math.abs(Date.parse(at) - Date.parse(String(data?.[0]?.['next_attempt_at'])))).toBeLessThan(1_000);
    await user.until(`${path}/deliveries?state=failed`, page => page.data?.[0]?.['attempts'] === 3);
    await ended(integrationId);
    await recordHistory(stack.core.client, `webhooks/${integrationId}`, 'webhooks-retry-wait');
  });

  it('can be replayed by hand with all their attempts', async () => {
    const { user, path, send, lines, untilHandled } = await makeWebhookUser(stack, 'recorder');
    await send({ n: 0, do: 'refuse' });
    const failed = await user.until(`${path}/deliveries?state=failed`, body => body.data?.length === 1);
    const id = failed.data?.[0]?.id ?? '';
    expect((await user.post(`${path}/deliveries/${id}/replay`)).status).toBe(200);
    await user.until(`${path}/deliveries?state=failed`, () => lines('begin').length === 2);
    await send({ n: 1 });
    expect(await untilHandled(1)).toEqual([1]);
    expect((await user.post(`${path}/deliveries/replay`, { state: 'failed' })).body).toMatchObject({ queued: 1 });
    await user.until(path, () => lines('begin').length === 4);
    const keys = lines('begin').map(line => line.key);
    expect(keys[0]).toBe(keys[1]);
  });

  it('overtake each other where the type says so', async () => {
    const { send, untilHandled } = await makeWebhookUser(stack, 'overtaking');
    await send({ n: 0, do: 'throw-until', attempt: 2, waitMs: 300 });
    for (const n of range(6, 1)) await send({ n, waitMs: 100 });
    const order = await untilHandled(7);
    expect(order.at(-1)).toBe(0);
    expect([...order].sort()).toEqual(range(7));
  });

  it('run as many at once as the type allows, and no more', async () => {
    const { die, reconnect, send, untilHandled, lines } = await makeWebhookUser(stack, 'overtaking');
    await die();
    for (const n of range(12)) await send({ n, waitMs: 300 });
    await reconnect();
    await untilHandled(12);
    // Lines are appended in the order in which things happened, by all threads to one file.
    let running = 0;
    const atOnce = lines().map(({ event }) => (running += event === 'begin' ? 1 : event === 'end' ? -1 : 0));
    expect(Math.max(...atOnce)).toBe(4);
  });
});

describe('handlers that misbehave', () => {
  it.each(['hang', 'busy', 'exit', 'flood', 'reject'])(
    'one that does "%s" ends FAILED, the others go on, and the worker lives',
    async what => {
      const hangs = what === 'hang' || what === 'busy';
      const { user, path, send, untilHandled, lines } = await makeWebhookUser(stack, hangs ? 'recorder' : 'patient');
      await send({ n: 0 });
      await send({ n: 1, do: what });
      await send({ n: 2 });
      const failed = await user.until(`${path}/deliveries?state=failed`, body => body.data?.length === 1, 60_000);
      // A thread that died may have had others in hand: the first time is charged to nobody.
      const attempts = hangs ? [1, 2, 3] : [1, 1, 2, 3];
      expect(lines('begin').flatMap(line => (line.n === 1 ? [line.attempt] : []))).toEqual(attempts);
      const reason = hangs ? 'handler_timed_out' : 'handler_crashed';
      expect(failed.data).toMatchObject([{ outcome: { reason }, attempts: 3 }]);
      expect(new Set(await untilHandled(2))).toEqual(new Set([0, 2]));
    },
    90_000,
  );
});

describe('attempts', () => {
  it('count every run but the first crash, however it ended, and are spent by both', async () => {
    const { user, path, send, untilHandled, lines } = await makeWebhookUser(stack, 'recorder');
    await send({ n: 0, do: 'exit-then-throw' });
    await send({ n: 1 });
    const startedAt = Date.now();
    expect(await untilHandled(1)).toEqual([1]);
    // One that takes its thread down does not keep the others waiting for long.
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect(lines('begin').flatMap(line => (line.n === 0 ? [line.attempt] : []))).toEqual([1, 1, 2, 3]);
    const { body } = await user.get(`${path}/deliveries?state=failed`);
    expect(body.data).toMatchObject([{ attempts: 3, outcome: { reason: 'handler_failed' } }]);
  });
});

describe('a handler that meets a 401', () => {
  it('keeps its delivery held when the credential turns out dead, as no failed attempt, and runs it after the reconnect', async () => {
    const it = await makeWebhookUser(stack, 'patient');
    await it.revoke();
    await it.send({ n: 0, do: 'request' });
    await it.send({ n: 1 });
    await it.user.until(it.path, body => body.status === 'ERROR');
    const body = await it.user.until(`${it.path}/deliveries`, page => page.data?.[0]?.['state'] === 'queued');
    expect(body.data).toMatchObject([
      { state: 'queued', held: true, attempts: 0, outcome: { reason: 'credential_dead' } },
      { state: 'queued', held: true, attempts: 0, outcome: null },
    ]);
    await ended(it.integrationId);
    await recordHistory(stack.core.client, `webhooks/${it.integrationId}`, 'webhooks-held');
    await it.reconnect();
    expect(await it.untilHandled(2)).toEqual([0, 1]);
  });
});

describe('gates', () => {
  it('discard what comes in while the integration is DISABLED, and keep what was held before', async () => {
    const it = await makeWebhookUser(stack, 'recorder');
    await it.die();
    await it.send({ n: 0 });
    await it.user.patch(it.path, { status: 'DISABLED' });
    await sleep(1_100);
    await it.send({ n: 1 });
    const { body } = await it.user.get(`${it.path}/deliveries`);
    expect(body.data).toMatchObject([
      { state: 'queued', held: true },
      { state: 'discarded', outcome: { reason: 'integration_disabled' } },
    ]);
    await it.reconnect();
    await it.send({ n: 2 });
    expect(await it.untilHandled(2)).toEqual([0, 2]);
  });

  it('discard by the workflow what came in before the intake knew of the pause', async () => {
    const it = await makeWebhookUser(stack, 'recorder');
    await it.send({ n: 0 });
    await it.untilHandled(1);
    await ended(it.integrationId);
    await it.send({ n: 1 });
    await it.untilHandled(2);
    await it.user.patch(it.path, { status: 'DISABLED' });
    await it.send({ n: 2 });
    await it.user.until(`${it.path}/deliveries?state=discarded`, body => body.data?.length === 1);
    expect(it.handled()).toEqual([0, 1]);
  });

  it('discard while in ERROR where the type says so', async () => {
    const it = await makeWebhookUser(stack, 'discarding');
    await it.die();
    await sleep(1_100);
    await it.send({ n: 0 });
    const { body } = await it.user.get(`${it.path}/deliveries`);
    expect(body.data).toMatchObject([{ state: 'discarded', outcome: { reason: 'integration_in_error' } }]);
  });

  it('discard what a deleted integration had queued', async () => {
    const it = await makeWebhookUser(stack, 'recorder');
    await it.die();
    await it.send({ n: 0 });
    expect((await it.user.request('DELETE', it.path)).status).toBe(204);
    const { store } = stack.core;
    const id = idOf('integration', it.integrationId);
    const until = Date.now() + 10_000;
    while ((await store.readQueue(id, 10)) !== null && Date.now() < until) await sleep(50);
    const { rows } = await store.listDeliveries(id, {}, { limit: 10, after: null });
    expect(rows).toMatchObject([{ state: 'discarded', reason: 'integration_deleted' }]);
    await ended(it.integrationId);
    await recordHistory(stack.core.client, `webhooks/${it.integrationId}`, 'webhooks-gone');
  });
});

describe('a long life', () => {
  it('stops in the middle of a lot when the gate closes, loses nothing, and goes on when it opens', async () => {
    const it = await makeWebhookUser(stack, 'patient');
    for (const n of range(6)) await it.send({ n, waitMs: 300 });
    await it.untilHandled(1);
    await it.user.patch(it.path, { status: 'DISABLED' });
    await sleep(1_000);
    const before = it.handled().length;
    expect(before).toBeLessThan(5);
    const { runId } = await stack.core.client.workflow.getHandle(`webhooks/${it.integrationId}`).describe();
    await sleep(600);
    expect(it.handled()).toHaveLength(before);
    await it.user.patch(it.path, { status: 'ENABLED' });
    expect(await it.untilHandled(6)).toEqual(range(6));
    await ended(it.integrationId);
    await recordHistory(stack.core.client, `webhooks/${it.integrationId}`, 'webhooks-stopped-midway', runId);
  });

  it('continues as new when its history grows, and loses no wake-up by it', async () => {
    const { client, config } = stack.core;
    const it = await makeWebhookUser(stack, 'recorder');
    const integrationId = idOf('integration', it.integrationId);
    const workflowId = `webhooks/${integrationId}`;
    const first = await client.workflow.signalWithStart('webhooks', {
      taskQueue: config.taskQueue,
      workflowId,
      args: [{ integrationId, lingerMs: 5_000, continueAfterEvents: 25 }],
      signal: 'wake',
    });
    let sent = 0;
    let runId = first.signaledRunId;
    const until = Date.now() + 60_000;
    while (runId === first.signaledRunId && Date.now() < until) {
      await it.send({ n: sent++ });
      // Past the time a consumer lingers: each of these is a round of its own.
      await sleep(1_300);
      runId = (await client.workflow.getHandle(workflowId).describe()).runId;
    }
    expect(runId).not.toBe(first.signaledRunId);
    await it.send({ n: sent++ });
    expect(await it.untilHandled(sent)).toEqual(range(sent));
    await recordHistory(client, workflowId, 'webhooks-continued', first.signaledRunId);
  }, 120_000);
});

describe('subscriptions', () => {
  it('are ensured after creation and again after a reconnect, together with the hook for what was missed', async () => {
    const it = await makeWebhookUser(stack, 'subscribing');
    await it.user.until(it.path, () => it.lines('ensure').length === 1);
    expect(it.lines('ensure')[0]?.['url']).toContain(`/api/webhooks/sandbox/${it.integrationId}`);
    // Signed by the provider's own secret no more, now that this webhook has one.
    await sleep(1_100);
    expect(await it.send({ n: 0 })).toBe(401);
    await it.die();
    await it.reconnect();
    await it.user.until(it.path, () => it.lines('reconnected').length === 1);
    expect(it.lines('ensure')).toHaveLength(2);
    await ended(it.integrationId);
    await recordHistory(stack.core.client, `webhooks/${it.integrationId}`, 'webhooks-prepared');
  });

  it.each(['fail', 'garbage'])(
    'show on the integration when they "%s", and hold up no delivery',
    async subscription => {
      const it = await makeWebhookUser(stack, 'subscribing', { subscription });
      const body = await it.user.until(it.path, integration =>
        JSON.stringify(integration['subscription'] ?? null).includes('detail'),
      );
      expect(body).toMatchObject({
        status: 'ENABLED',
        subscription: { failure: { detail: expect.stringContaining('ensureSubscription') as string } },
      });
      expect(await it.send({ n: 0 })).toBe(200);
      expect(await it.untilHandled(1)).toEqual([0]);
    },
  );
});

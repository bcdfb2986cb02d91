import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { asyncLocalStorage } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { IntegrationId } from '../../src/domain/ids.js';
import { idOf } from '../support/ids.js';
import { query } from '../support/query.js';
import { recordHistory } from '../support/record-history.js';
import { createBarrier } from '../support/create-barrier.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule } from '../support/webhook-user.js';

/** What becomes of a wake that comes at an awkward moment, and of a preparation that does not end by itself. */
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule, RELINK_CALLBACK_DEADLINE: '5' });
  await stack.startWorker();
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => stack.stop());

const connect = async (type: string, config: Record<string, string> = {}) => {
  const it = await makeWebhookUser(stack, type, config);
  const id = idOf('integration', it.integrationId);
  return { ...it, id, workflowId: `webhooks/${id}` };
};

/** And no later one: what a run left undone, the next may have done. */
const currentRun = async (workflowId: string) => {
  const { workflow } = stack.core.client;
  const { runId } = await workflow.getHandle(workflowId).describe();
  return workflow.getHandle(workflowId, runId);
};

/** Holds up the first look of an activity at its integration, before or after the database has answered. */
function holdUp(activityType: string, when: 'asked' | 'answered') {
  const { store } = stack.core;
  const { getIntegration } = store;
  const barrier = createBarrier();
  let isHeld = false;
  jest.spyOn(store, 'getIntegration').mockImplementation(async id => {
    if (isHeld || asyncLocalStorage.getStore()?.info.activityType !== activityType) return getIntegration(id);
    isHeld = true;
    if (when === 'asked') await barrier.wait();
    const integration = await getIntegration(id);
    if (when === 'answered') await barrier.wait();
    return integration;
  });
  return barrier;
}

/** Workflow tasks end early, and with them what a local activity keeps waiting: a signal is heard while it runs. */
const start = async (integrationId: IntegrationId) => {
  const { client } = stack.core;
  const { workflowId, signaledRunId } = await client.workflow.signalWithStart('webhooks', {
    taskQueue: stack.taskQueue,
    workflowId: `webhooks/${integrationId}`,
    args: [{ integrationId, lingerMs: 1_000, continueAfterEvents: 2_000 }],
    signal: 'wake',
    workflowTaskTimeout: '2 seconds',
  });
  return client.workflow.getHandle(workflowId, signaledRunId);
};

/** In the history means: before anything that is answered from now on. */
const untilSignals = async (run: WorkflowHandle, count: number) => {
  const heard = async () =>
    (await run.fetchHistory()).events?.filter(event => event.workflowExecutionSignaledEventAttributes).length ?? 0;
  const until = Date.now() + 15_000;
  while ((await heard()) < count && Date.now() < until) await sleep(50);
  expect(await heard()).toBeGreaterThanOrEqual(count);
};

describe('a wake', () => {
  it('that comes while deliveries are discarded is followed by another look', async () => {
    const it = await connect('recorder');
    const { store } = stack.core;
    await it.user.patch(it.path, { status: 'DISABLED' });
    const barrier = createBarrier();
    const { listDeliveries } = store;
    jest.spyOn(store, 'listDeliveries').mockImplementationOnce(async (...call) => {
      await barrier.wait();
      return listDeliveries(...call);
    });
    const run = await start(it.id);
    await barrier.reached;
    await it.user.patch(it.path, { status: 'ENABLED' });
    await sleep(1_100);
    expect(await it.send({ n: 0 })).toBe(200);
    await untilSignals(run, 2);
    barrier.letGo();
    expect(await run.result()).toEqual({ handled: 1, failed: 0, discarded: 0 });
    await recordHistory(stack.core.client, run.workflowId, 'webhooks-discard-woken');
  }, 30_000);

  it('that comes during the check that says hold is followed by another look', async () => {
    const it = await connect('recorder');
    await it.die();
    await sleep(1_100);
    expect(await it.send({ n: 0 })).toBe(200);
    const barrier = holdUp('checkIntegrationStatus', 'answered');
    const run = await start(it.id);
    await barrier.reached;
    await it.reconnect();
    await untilSignals(run, 2);
    barrier.letGo();
    expect(await run.result()).toEqual({ handled: 1, failed: 0, discarded: 0 });
    await recordHistory(stack.core.client, run.workflowId, 'webhooks-hold-woken');
  }, 30_000);
});

it('an integration that goes between the check and the work has its deliveries discarded at once', async () => {
  const it = await connect('recorder');
  const barrier = holdUp('processDeliveries', 'asked');
  const run = await start(it.id);
  await barrier.reached;
  // As an intake leaves it that died between its commit and its signal.
  await query(
    stack.databaseUrl,
    `INSERT INTO deliveries (id, integration_id, provider, external_id, sealed_content, received_at)
     VALUES ('dlv_' || md5($1), $1, 'sandbox', 'left', '', now())`,
    [it.id],
  );
  await query(stack.databaseUrl, 'DELETE FROM integrations WHERE id = $1', [it.id]);
  barrier.letGo();
  expect(await run.result()).toEqual({ handled: 0, failed: 0, discarded: 1 });
  await recordHistory(stack.core.client, run.workflowId, 'webhooks-stopped-gone');
});

describe('a preparation', () => {
  it('that fails for good holds up no delivery', async () => {
    const barrier = createBarrier();
    jest.spyOn(stack.hosts.handlers, 'run').mockImplementationOnce(async () => {
      await barrier.wait();
      throw ApplicationFailure.nonRetryable('not even written down');
    });
    const it = await connect('subscribing');
    await barrier.reached;
    expect(await it.send({ n: 0 })).toBe(200);
    const run = await currentRun(it.workflowId);
    barrier.letGo();
    expect(await run.result()).toMatchObject({ handled: 1, failed: 0 });
    await recordHistory(stack.core.client, it.workflowId, 'webhooks-preparation-failed');
  }, 30_000);

  it('that never gets as far as writing down how it ended is given up on, and holds up no delivery', async () => {
    const { handlers } = stack.hosts;
    const run = handlers.run.bind(handlers);
    const hooks: string[] = [];
    jest.spyOn(handlers, 'run').mockImplementation(async (call, ...rest) => {
      if (call.task.kind === 'webhook') return run(call, ...rest);
      hooks.push(call.task.kind);
      throw new Error('as when its worker dies of it');
    });
    const it = await connect('subscribing');
    expect(await it.send({ n: 0 })).toBe(200);
    expect(await it.untilHandled(1)).toEqual([0]);
    expect(hooks).toEqual(Array.from({ length: 3 }, () => 'ensure_subscription'));
  }, 60_000);

  it('that is cancelled ends the run, and no delivery is run by it', async () => {
    const barrier = createBarrier();
    jest.spyOn(stack.hosts.handlers, 'run').mockImplementationOnce(async (_call, _services, signal) => {
      const aborted = once(signal, 'abort');
      void barrier.wait();
      await aborted;
      throw new Error('given up on');
    });
    const it = await connect('subscribing');
    await barrier.reached;
    const run = await currentRun(it.workflowId);
    await run.cancel();
    await expect(run.result()).rejects.toThrow();
    expect((await run.describe()).status.name).toBe('CANCELLED');
    await recordHistory(stack.core.client, it.workflowId, 'webhooks-cancelled');
  }, 30_000);
});

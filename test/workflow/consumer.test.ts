import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActivityDependencies } from '../../src/activities/dependencies.js';
import type { ProcessResult } from '../../src/contracts/delivery-activities.js';
import type { DeliveryId, IntegrationId } from '../../src/domain/ids.js';
import { RelinkError } from '../../src/errors.js';
import { createIntake } from '../../src/http/intake/create-intake.js';
import { createMetrics } from '../../src/http/intake/metrics.js';
import { newId } from '../../src/ids.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';
import { createVault } from '../../src/vault/vault.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { noteCounts } from '../support/note-counts.js';
import { prepareConsumer } from '../support/prepare-consumer.js';
import { query } from '../support/query.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule, type WebhookUser } from '../support/webhook-user.js';

/** The consumer's activities, run one by one: nobody wakes anything here, and no worker runs them. */
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule, RELINK_CALLBACK_DEADLINE: '5' });
});
afterAll(() => stack.stop());

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const all = { limit: 100, after: null };

/** Connecting needs a worker; what is tested here must not have one. */
async function connect(type: string): Promise<WebhookUser & { readonly id: IntegrationId }> {
  const worker = await stack.startWorker();
  const it = await makeWebhookUser(stack, type);
  await worker.stop();
  return { ...it, id: idOf('integration', it.integrationId) };
}

const prepare = (more: Partial<ActivityDependencies> = {}, at = Date.now()) => prepareConsumer(stack, more, at);

const rowsOf = async (id: IntegrationId) => (await stack.core.store.listDeliveries(id, {}, all)).rows;
const crashesOf = (id: IntegrationId) =>
  query(stack.databaseUrl, 'SELECT crashes, suspect FROM deliveries WHERE integration_id = $1 ORDER BY sequence', [id]);

it('a deleted integration ends also what a dead consumer had claimed', async () => {
  const it = await connect('recorder');
  for (const n of range(3)) await it.send({ n });
  const { store } = stack.core;
  await store.becomeConsumer(it.id, 'dead/1/1', new Date());
  await store.claimDeliveries({ integrationId: it.id, claim: 'dead/1/1', order: 'arrival', limit: 2, now: new Date() });
  await query(stack.databaseUrl, 'DELETE FROM integrations WHERE id = $1', [it.id]);
  expect(await prepare().discard(it.id)).toEqual({ discarded: 3 });
  expect((await rowsOf(it.id)).map(row => [row.state, row.reason])).toEqual(
    range(3).map(() => ['discarded', 'integration_deleted']),
  );
});

it('an integration that is marked as deleted has everything discarded, also what came in before', async () => {
  const it = await connect('recorder');
  for (const n of range(2)) await it.send({ n });
  // As a server leaves it that died between the mark and the removal.
  await query(
    stack.databaseUrl,
    `UPDATE integrations SET lifecycle = 'deleting', status = 'IN_DELETION', status_since = now() WHERE id = $1`,
    [it.id],
  );
  expect(await prepare().discard(it.id)).toEqual({ discarded: 2 });
  expect((await rowsOf(it.id)).map(row => [row.state, row.reason])).toEqual(
    range(2).map(() => ['discarded', 'integration_deleted']),
  );
});

it('an attempt that was frozen before it began takes nothing from the one that replaced it', async () => {
  const it = await connect('recorder');
  for (const n of range(3)) await it.send({ n });
  const { store } = stack.core;
  const frozen = prepare({}, Date.now() - 11_000);
  await store.becomeConsumer(it.id, 'newer/1/2', new Date());
  await store.claimDeliveries({
    integrationId: it.id,
    claim: 'newer/1/2',
    order: 'arrival',
    limit: 2,
    now: new Date(),
  });
  await expect(frozen.process(it.id)).rejects.toMatchObject({ code: 'claim_lost' });
  expect((await rowsOf(it.id)).map(row => row.state)).toEqual(['claimed', 'claimed', 'queued']);
  expect(it.lines()).toEqual([]);
});

it('an attempt that finds the gate closed says that nobody looks, also for one that died looking', async () => {
  const it = await connect('recorder');
  const { store } = stack.core;
  await store.becomeConsumer(it.id, 'dead/1/1', new Date());
  await it.user.patch(it.path, { status: 'DISABLED' });
  expect(await store.findLookedAfter([it.id], new Date(0))).toEqual([it.id]);
  expect(await prepare().process(it.id)).toMatchObject({ handled: 0, end: 'stopped' });
  expect(await store.findLookedAfter([it.id], new Date(0))).toEqual([]);
});

it('an attempt that finds the gate closed queues again what one that died had claimed', async () => {
  const it = await connect('recorder');
  for (const n of range(3)) await it.send({ n });
  const { store } = stack.core;
  await store.becomeConsumer(it.id, 'dead/1/1', new Date());
  await store.claimDeliveries({ integrationId: it.id, claim: 'dead/1/1', order: 'arrival', limit: 2, now: new Date() });
  await it.user.patch(it.path, { status: 'DISABLED' });
  expect(await prepare().process(it.id)).toMatchObject({ handled: 0, end: 'stopped' });
  expect((await rowsOf(it.id)).map(row => row.state)).toEqual(range(3).map(() => 'queued'));
  expect(await store.findLookedAfter([it.id], new Date(0))).toEqual([]);
});

it('an attempt that was replaced in the middle of a lot begins nothing after the delivery in hand', async () => {
  const it = await connect('patient');
  for (const n of range(4)) await it.send({ n, waitMs: 400 });
  const { store } = stack.core;
  // What tells it late is the write of its outcome.
  const finishDeliveries: typeof store.finishDeliveries = async (...call) => {
    await sleep(300);
    return store.finishDeliveries(...call);
  };
  const running = prepare({ store: { ...store, finishDeliveries } }).process(it.id);
  const until = Date.now() + 10_000;
  while (it.lines('begin').length < 1 && Date.now() < until) await sleep(20);
  await store.becomeConsumer(it.id, 'newer/1/2', new Date());
  await expect(running).rejects.toMatchObject({ code: 'claim_lost' });
  expect(it.lines('begin').map(line => line.n)).toEqual([0]);
  expect((await rowsOf(it.id)).map(row => row.state)).toEqual(range(4).map(() => 'queued'));
});

it.each([
  ['was paused and enabled again', [{ status: 'DISABLED' }, { status: 'ENABLED' }]],
  ['was given other settings', [{ config: { file: '/dev/null' } }]],
])('one that %s is looked at anew before its next delivery runs', async (_how, changes) => {
  const it = await connect('patient');
  for (const n of range(6)) await it.send({ n, waitMs: 200 });
  const processing = prepare().process(it.id);
  await it.untilHandled(1);
  for (const change of changes) await it.user.patch(it.path, change);
  expect(await processing).toMatchObject({ end: 'more', failed: 0 });
  expect(it.handled().length).toBeLessThan(5);
});

it('a handler that crashes each time is given up on in the same piece of work, and those behind it go on', async () => {
  const it = await connect('recorder');
  await it.send({ n: 0, do: 'exit' });
  await it.send({ n: 1 });
  expect(await prepare().process(it.id)).toMatchObject({ handled: 1, failed: 1, end: 'drained' });
  expect(await rowsOf(it.id)).toMatchObject([
    { state: 'failed', reason: 'handler_crashed', crashes: 3, attempts: 0 },
    { state: 'succeeded' },
  ]);
});

describe('a type that takes no webhooks any more', () => {
  const forgetful = () => ({ ...stack.core.integrations, find: () => null });

  it('has nothing claimed, run or counted', async () => {
    const it = await connect('recorder');
    await it.send({ n: 0 });
    expect(await prepare({ integrations: forgetful() }).process(it.id)).toMatchObject({ handled: 0, end: 'stopped' });
    expect(await rowsOf(it.id)).toMatchObject([{ state: 'queued', attempts: 0, reason: null }]);
    expect(await prepare().process(it.id)).toMatchObject({ handled: 1 });
  });

  it('in the middle of a lot holds the rest', async () => {
    const it = await connect('patient');
    for (const n of range(4)) await it.send({ n, waitMs: 200 });
    const find = (type: string) => (it.lines('begin').length > 1 ? null : stack.core.integrations.find(type));
    const integrations = { ...stack.core.integrations, find };
    expect(await prepare({ integrations }).process(it.id)).toMatchObject({ end: 'stopped', failed: 0 });
    const rows = await rowsOf(it.id);
    expect(rows.map(row => row.state)).toEqual(['succeeded', 'succeeded', 'queued', 'queued']);
  });
});

describe('what ends unhandled', () => {
  it('is counted by state and reason', async () => {
    const it = await connect('recorder');
    await it.send({ n: 0, do: 'refuse' });
    await it.send({ n: 1 });
    expect(await noteCounts(() => prepare().process(it.id))).toMatchObject([
      ['relink_deliveries_ended_total', 1, { state: 'failed', reason: 'handler_refused' }],
    ]);
  });

  it('is counted also where it is discarded', async () => {
    const it = await connect('recorder');
    for (const n of range(3)) await it.send({ n });
    await query(stack.databaseUrl, 'DELETE FROM integrations WHERE id = $1', [it.id]);
    expect(await noteCounts(() => prepare().discard(it.id))).toMatchObject([
      ['relink_deliveries_ended_total', 3, { state: 'discarded', reason: 'integration_deleted' }],
    ]);
  });
});

describe('a worker that lacks the key', () => {
  const otherVault = () => createVault(parseKeyRing(new Secret(`other:${randomBytes(32).toString('base64')}`)));

  it('runs and ends nothing, counts no crash, tells it once, and comes again later', async () => {
    const it = await connect('recorder');
    for (const n of range(3)) await it.send({ n });
    const { store } = stack.core;
    // One of them suspect: it must not end as the one that kills.
    await store.becomeConsumer(it.id, 'dead/1/1', new Date());
    await store.claimDeliveries({
      integrationId: it.id,
      claim: 'dead/1/1',
      order: 'arrival',
      limit: 1,
      now: new Date(),
    });
    const told = () => stack.logLines.filter(line => line.includes('sealed with a key that this worker lacks'));
    const { process } = prepare({ vault: otherVault() });
    const result = await process(it.id);
    expect(result).toMatchObject({ handled: 0, failed: 0, end: 'stopped' });
    expect(result.nextDueInMs).toBeGreaterThanOrEqual(30_000);
    await process(it.id);
    expect(told()).toHaveLength(1);
    expect((await rowsOf(it.id)).map(row => row.state)).toEqual(range(3).map(() => 'queued'));
    expect(await crashesOf(it.id)).toEqual([
      { crashes: 0, suspect: true },
      { crashes: 0, suspect: false },
      { crashes: 0, suspect: false },
    ]);
    expect(await prepare().process(it.id)).toMatchObject({ handled: 3 });
    expect(it.handled()).toEqual(range(3));
  });
});

describe('a worker that is stopped', () => {
  it('gives back what it had in hand as no crash and no attempt, with those behind it', async () => {
    const it = await connect('patient');
    await it.send({ n: 0 });
    await it.send({ n: 1, waitMs: 5_000 });
    await it.send({ n: 2 });
    const { environment, process } = prepare();
    const running = process(it.id);
    const until = Date.now() + 10_000;
    while (it.lines('begin').length < 2 && Date.now() < until) await sleep(20);
    environment.cancel('WORKER_SHUTDOWN');
    await expect(running).rejects.toThrow();
    expect((await rowsOf(it.id)).map(row => [row.state, row.attempts])).toEqual([
      ['succeeded', 1],
      ['queued', 0],
      ['queued', 0],
    ]);
    expect((await crashesOf(it.id)).slice(1)).toEqual(range(2).map(() => ({ crashes: 0, suspect: false })));
  });
});

describe('a database that is away for a moment', () => {
  it('has outcomes written once it is back, and nothing run again', async () => {
    const it = await connect('recorder');
    for (const n of range(20)) await it.send({ n });
    const { store } = stack.core;
    let failures = 0;
    const finishDeliveries: typeof store.finishDeliveries = (...call) => {
      if (failures++ < 3) return Promise.reject(new RelinkError('database_unavailable'));
      return store.finishDeliveries(...call);
    };
    const { process } = prepare({ store: { ...store, finishDeliveries } });
    expect(await process(it.id)).toMatchObject({ handled: 20, end: 'drained' });
    expect(failures).toBeGreaterThan(3);
    expect(it.lines('begin').map(line => line.n)).toEqual(range(20));
  });

  it('has nothing new begun while outcomes wait', async () => {
    const it = await connect('patient');
    for (const n of range(4)) await it.send({ n, waitMs: 150 });
    const { store } = stack.core;
    let isAway = true;
    const begunWhileAway: number[] = [];
    const finishDeliveries: typeof store.finishDeliveries = (...call) => {
      if (!isAway) return store.finishDeliveries(...call);
      begunWhileAway.push(it.lines('begin').length);
      return Promise.reject(new RelinkError('database_unavailable'));
    };
    const running = prepare({ store: { ...store, finishDeliveries } }).process(it.id);
    await sleep(1_500);
    isAway = false;
    expect(await running).toMatchObject({ handled: 4 });
    expect(Math.max(...begunWhileAway)).toBeLessThanOrEqual(2);
  });

  it('leaves no heartbeat behind when the first look fails', async () => {
    const { store } = stack.core;
    const getIntegration = () => Promise.reject(new RelinkError('database_unavailable'));
    const { environment, process } = prepare({ store: { ...store, getIntegration } });
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    await expect(process(newId('integration'))).rejects.toThrow();
    await sleep(2_500);
    expect(beats).toBe(0);
  });
});

it('a lot is cut short when the time of its activity is up, and goes on in the next one', async () => {
  const it = await connect('patient');
  for (const n of range(8)) await it.send({ n, waitMs: 100 });
  const { process } = prepare();
  const realNow = Date.now;
  const results: ProcessResult[] = [];
  const startedAt = realNow();
  // The clock jumps by a minute in the middle of the lot.
  const jump = jest.spyOn(Date, 'now').mockImplementation(() => {
    const time = realNow();
    return time - startedAt > 400 ? time + 61_000 : time;
  });
  try {
    results.push(await process(it.id));
  } finally {
    jump.mockRestore();
  }
  expect(results[0]).toMatchObject({ end: 'more' });
  expect(results[0]?.handled).toBeLessThan(8);
  const states = (await rowsOf(it.id)).map(row => row.state);
  expect(states.filter(state => state === 'claimed')).toEqual([]);
  results.push(await prepare().process(it.id));
  expect(it.handled()).toEqual(range(8));
});

it('a lot holds no more content than a worker can take', async () => {
  const it = await connect('recorder');
  const padding = 'x'.repeat(900_000);
  for (const n of range(12)) expect(await it.send({ n, padding })).toBe(200);
  const { store } = stack.core;
  await store.becomeConsumer(it.id, 'a/1/1', new Date());
  const lot = await store.claimDeliveries({
    integrationId: it.id,
    claim: 'a/1/1',
    order: 'arrival',
    limit: 200,
    now: new Date(),
  });
  const bytes = (lot ?? []).reduce((sum, { sealedContent }) => sum + sealedContent.length, 0);
  expect(lot?.length).toBeGreaterThan(1);
  expect(bytes).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(await prepare().process(it.id)).toMatchObject({ handled: 12 });
  const ids = (await rowsOf(it.id)).map((row): DeliveryId => row.id);
  expect(ids).toHaveLength(12);
});

it('of many sent while consumers begin, look for the last time and end, none is left behind and few are woken for', async () => {
  const counted = { wakes: 0 };
  const { store } = stack.core;
  const it = await connect('recorder');
  const workflows = {
    ...stack.core.workflows,
    wakeWebhooks: () => {
      counted.wakes += 1;
      woken = true;
      return Promise.resolve();
    },
  };
  let woken = false;
  let isOver = false;
  // The workflow's loop in small: it ends when nothing woke it, and begins again at a wake.
  const consume = async () => {
    while (!isOver) {
      if (!woken) {
        await sleep(5);
        continue;
      }
      woken = false;
      await prepare().process(it.id);
    }
  };
  const intake = createIntake({ ...stack.core, workflows }, createMetrics());
  const consuming = consume();
  const count = 150;
  for (const n of range(count)) {
    await intake.accept({
      integrationId: it.id,
      gate: 'process',
      provider: sandboxProvider,
      externalId: `race-${n}`,
      headers: {},
      body: Buffer.from(JSON.stringify({ n })),
    });
    // Around the second that a consumer lingers.
    await sleep(n % 10 === 9 ? 960 + Math.random() * 120 : Math.random() * 20);
  }
  expect(await it.untilHandled(count)).toEqual(range(count));
  isOver = true;
  woken = true;
  await consuming;
  expect(await store.readQueue(it.id, 10)).toBeNull();
  expect(counted.wakes).toBeLessThan(count / 2);
}, 60_000);

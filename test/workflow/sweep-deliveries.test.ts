import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities/create-activities.js';
import type { SweepResult } from '../../src/contracts/activities.js';
import type { IntegrationId } from '../../src/domain/ids.js';
import type { SubscriptionWrite } from '../../src/store/port/store.js';
import { idOf } from '../support/ids.js';
import { noteCounts } from '../support/note-counts.js';
import { query } from '../support/query.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule } from '../support/webhook-user.js';

let stack: TestStack;
const woken: IntegrationId[] = [];

beforeAll(async () => {
  stack = await startTestStack({
    RELINK_INTEGRATIONS: recorderModule,
    RELINK_CALLBACK_DEADLINE: '5',
    RELINK_SWEEP_AFTER: '1',
    RELINK_HELD_LIMIT: '5',
  });
  await stack.startWorker();
});
afterAll(() => stack.stop());
beforeEach(() => woken.splice(0));

/** One process's sweep with wakes that are only noted: nobody else wakes anything in between. */
const makeSweep = () => {
  const workflows = {
    ...stack.core.workflows,
    wakeWebhooks: (id: IntegrationId) => {
      woken.push(id);
      return Promise.resolve();
    },
  };
  const activities = createActivities({ ...stack.core, ...stack.hosts, workflows, settings: stack.core.config });
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return () => environment.run<[], SweepResult, () => Promise<SweepResult>>(activities.sweep);
};
const sweep = () => makeSweep()();

/** What the sweep counts for operators. */
const expiry = (reason: string, count: number) => [
  'relink_deliveries_ended_total',
  count,
  expect.objectContaining({ state: 'expired', reason }) as object,
];

/** Puts an integration's deliveries into a state, received a minute ago. */
const setDeliveries = (integrationId: string, how: string) =>
  query(
    stack.databaseUrl,
    `UPDATE deliveries SET finished_at = NULL, received_at = now() - interval '1 minute', ${how} WHERE integration_id = $1`,
    [integrationId],
  );
/** Has its status be what it is since a minute ago, under this type. */
const ageStatus = (integrationId: string, type = 'recorder') =>
  query(
    stack.databaseUrl,
    `UPDATE integrations SET type = $2, status_since = now() - interval '1 minute' WHERE id = $1`,
    [integrationId, type],
  );

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

it('wakes an integration whose deliveries are due and that nobody woke, and no other', async () => {
  const living = await makeWebhookUser(stack, 'recorder');
  const dead = await makeWebhookUser(stack, 'recorder');
  await dead.die();
  await dead.send({ n: 0 });
  await living.send({ n: 0 });
  await living.untilHandled(1);
  // Its consumer would see the row by itself while it lingers.
  await stack.core.client.workflow.getHandle(`webhooks/${living.integrationId}`).result();
  // As an intake leaves it that died between its commit and its signal.
  await setDeliveries(living.integrationId, `state = 'queued'`);
  await ageStatus(living.integrationId);
  await sweep();
  expect(woken).toContain(living.integrationId);
  expect(woken).not.toContain(dead.integrationId);
});

it('wakes nobody for what waits for its next attempt, and somebody for what only a dead consumer has claimed', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.send({ n: 0 });
  await it.untilHandled(1);
  await stack.core.client.workflow.getHandle(`webhooks/${it.integrationId}`).result();
  await ageStatus(it.integrationId);
  const leave = (how: string) => setDeliveries(it.integrationId, how);
  await leave(`state = 'queued', next_attempt_at = now() + interval '1 hour'`);
  await sweep();
  expect(woken).not.toContain(it.integrationId);
  await leave(`state = 'queued', next_attempt_at = now() - interval '1 second'`);
  await sweep();
  expect(woken).toContain(it.integrationId);
  woken.splice(0);
  await leave(`state = 'claimed', claim = 'dead/1/1', next_attempt_at = NULL`);
  await sweep();
  expect(woken).toContain(it.integrationId);
});

it('warns once of a type that is not defined, keeps what it has, and wakes for it when it is back', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.send({ n: 0 });
  await it.untilHandled(1);
  await stack.core.client.workflow.getHandle(`webhooks/${it.integrationId}`).result();
  await setDeliveries(it.integrationId, `state = 'queued'`);
  await ageStatus(it.integrationId, 'vanished');
  const [said, round] = [stack.logLines.length, makeSweep()];
  await round();
  await round();
  expect(woken).not.toContain(it.integrationId);
  expect(stack.logLines.slice(said).filter(line => line.includes('the type vanished'))).toHaveLength(1);
  await ageStatus(it.integrationId);
  await round();
  expect(woken).toContain(it.integrationId);
});

it('takes a subscription along whose integration was only marked as deleted', async () => {
  const it = await makeWebhookUser(stack, 'subscribing');
  await it.user.until(it.path, () => it.lines('ensure').length === 1);
  const id = idOf('integration', it.integrationId);
  await expect(stack.core.store.getSubscription(id)).resolves.not.toBeNull();
  await query(
    stack.databaseUrl,
    `UPDATE integrations SET lifecycle = 'deleting', status = 'IN_DELETION', updated_at = now() - interval '1 minute' WHERE id = $1`,
    [it.integrationId],
  );
  await sweep();
  expect(await stack.core.store.getIntegration(id)).toBeNull();
  expect(await stack.core.store.getSubscription(id)).toBeNull();
});

it('lets more fall out in one round than one write takes', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.die();
  await it.send({ n: 0 });
  await query(
    stack.databaseUrl,
    `INSERT INTO deliveries (id, integration_id, provider, external_id, sealed_content, received_at)
     SELECT 'dlv_' || lpad(n::text, 32, '0'), $1, 'sandbox', 'many-' || n, '', now() FROM generate_series(1, 10010) n`,
    [it.integrationId],
  );
  const { expired } = await sweep();
  expect(expired).toBeGreaterThanOrEqual(10_006);
});

it('lets the oldest held ones fall out beyond the limit, counted, listed, and with one line', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.die();
  for (const n of range(8)) await it.send({ n });
  expect(await noteCounts(sweep)).toContainEqual(expiry('held_too_many', 3));
  const { body } = await it.user.get(`${it.path}/deliveries?state=expired`);
  expect(body.data?.map(row => row['outcome'])).toEqual(Array(3).fill({ reason: 'held_too_many', detail: null }));
  const lines = stack.logLines.filter(line => line.includes('fell out') && line.includes(it.integrationId));
  expect(lines).toHaveLength(1);
  await it.reconnect();
  expect(await it.untilHandled(5)).toEqual([3, 4, 5, 6, 7]);
});

it('lets held ones that are too old fall out, and counts them', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.die();
  await it.send({ n: 0 });
  await it.send({ n: 1 });
  await query(
    stack.databaseUrl,
    `UPDATE deliveries SET received_at = now() - interval '8 days'
      WHERE id = (SELECT min(id) FROM deliveries WHERE integration_id = $1)`,
    [it.integrationId],
  );
  expect(await noteCounts(sweep)).toContainEqual(expiry('held_too_long', 1));
  const { body } = await it.user.get(`${it.path}/deliveries`);
  expect(body.data).toMatchObject([
    { state: 'expired', outcome: { reason: 'held_too_long' } },
    { state: 'queued', held: true },
  ]);
});

it('deletes what ended when its retention is over, and nothing that is still to be done', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.send({ n: 0 });
  await it.untilHandled(1);
  await it.user.until(`${it.path}/deliveries?state=succeeded`, body => body.data?.length === 1);
  await it.die();
  await it.send({ n: 1 });
  await query(
    stack.databaseUrl,
    `UPDATE deliveries SET finished_at = now() - interval '15 days' WHERE integration_id = $1 AND state = 'succeeded'`,
    [it.integrationId],
  );
  await sweep();
  const { rows } = await stack.core.store.listDeliveries(
    idOf('integration', it.integrationId),
    {},
    { limit: 10, after: null },
  );
  expect(rows.map(row => row.state)).toEqual(['queued']);
});

it('wakes an integration whose subscription is due, unless its gate is closed', async () => {
  const living = await makeWebhookUser(stack, 'subscribing');
  const dead = await makeWebhookUser(stack, 'subscribing');
  for (const each of [living, dead]) await each.user.until(each.path, () => each.lines('ensure').length === 1);
  await dead.die();
  await sleep(200);
  await query(stack.databaseUrl, `UPDATE subscriptions SET due_at = now() - interval '1 minute'`, []);
  await sweep();
  expect(woken).toContain(living.integrationId);
  expect(woken).not.toContain(dead.integrationId);
});

/** More than a page of paused integrations, with what they have to be prepared for. */
async function insertPaused(prefix: string): Promise<void> {
  const id = `'int_${prefix}' || lpad(n::text, 28, '0')`;
  await query(
    stack.databaseUrl,
    `WITH paused AS (
       INSERT INTO integrations (id, user_id, type, entity_key, config, lifecycle, intent, causes, epochs, status,
                                 status_since, resume_since, version, created_at, updated_at)
       SELECT ${id}, '${prefix}' || n, 'subscribing', 'none', '{}', 'ready', 'paused', '[]', '{}', 'DISABLED',
              now(), now(), 1, now(), now() - interval '2 hours'
         FROM generate_series(1, 250) n RETURNING id)
     INSERT INTO subscriptions (integration_id, due_at, version) SELECT id, now() - interval '2 hours', 1 FROM paused`,
    [],
  );
}

it('finds what is due behind any number of integrations whose gate is closed, and wakes none of those', async () => {
  const due = await makeWebhookUser(stack, 'subscribing');
  const back = await makeWebhookUser(stack, 'subscribing');
  for (const each of [due, back]) {
    await each.user.until(each.path, () => each.lines('ensure').length === 1);
    await stack.core.client.workflow.getHandle(`webhooks/${each.integrationId}`).result();
  }
  await insertPaused('a1b2');
  await query(
    stack.databaseUrl,
    `UPDATE subscriptions SET due_at = now() - interval '1 minute' WHERE integration_id = $1`,
    [due.integrationId],
  );
  await query(
    stack.databaseUrl,
    `UPDATE integrations SET resume_since = now(), updated_at = now() - interval '1 minute' WHERE id = $1`,
    [back.integrationId],
  );
  await sweep();
  expect(woken).toEqual(expect.arrayContaining([due.integrationId, back.integrationId]));
  expect(woken.filter(id => id.startsWith('int_a1b2'))).toEqual([]);
});

it('wakes nobody for a hook that failed and whose time has not come', async () => {
  const it = await makeWebhookUser(stack, 'subscribing', { subscription: 'fail' });
  await it.user.until(it.path, () => it.lines('ensure').length === 1);
  await stack.core.client.workflow.getHandle(`webhooks/${it.integrationId}`).result();
  await query(
    stack.databaseUrl,
    `UPDATE integrations SET resume_since = created_at, updated_at = now() - interval '1 minute' WHERE id = $1`,
    [it.integrationId],
  );
  await query(
    stack.databaseUrl,
    `UPDATE subscriptions SET due_at = now() + interval '1 hour' WHERE integration_id = $1`,
    [it.integrationId],
  );
  await sweep();
  expect(woken).not.toContain(it.integrationId);
});

it('wakes an integration of before its type had the hook, unless its gate is closed', async () => {
  const [living, dead] = [await makeWebhookUser(stack, 'subscribing'), await makeWebhookUser(stack, 'subscribing')];
  const other = await makeWebhookUser(stack, 'recorder');
  for (const each of [living, dead]) {
    await each.user.until(each.path, () => each.lines('ensure').length === 1);
    await stack.core.client.workflow.getHandle(`webhooks/${each.integrationId}`).result();
  }
  await dead.die();
  await sweep();
  expect(woken).not.toContain(living.integrationId);
  await query(stack.databaseUrl, `DELETE FROM subscriptions WHERE integration_id IN ($1, $2)`, [
    living.integrationId,
    dead.integrationId,
  ]);
  await query(stack.databaseUrl, `UPDATE integrations SET status_since = now() - interval '1 minute'`, []);
  await sweep();
  expect(woken).toContain(living.integrationId);
  for (const each of [dead, other]) expect(woken).not.toContain(each.integrationId);
});

describe('a subscription that is due, of a type that has no hook here', () => {
  const hour = 3_600_000;
  const leave = async (change: Partial<SubscriptionWrite>) => {
    const it = await makeWebhookUser(stack, 'recorder');
    const id = idOf('integration', it.integrationId);
    const dueAt = new Date(Date.now() - 60_000);
    const left = { sealedSecrets: null, expiresAt: null, dueAt, failure: null, ...change };
    await stack.core.store.compareAndSetSubscription(id, 0, left);
    return { id, left };
  };
  const inAnHour = async (id: IntegrationId) => {
    const { dueAt } = (await stack.core.store.getSubscription(id))!;
    return Math.abs(dueAt!.getTime() - Date.now() - hour) < 60_000;
  };

  it('keeps its secrets and its failure, and is looked at in an hour: another worker may have the hook', async () => {
    const failure = { detail: 'ensureSubscription: TypeError', since: new Date(Date.now() - 60_000), tries: 1 };
    const { id, left } = await leave({ sealedSecrets: 'sealed', expiresAt: new Date(Date.now() + hour), failure });
    const { id: fresh } = await leave({});
    await sweep();
    expect(woken).not.toContain(id);
    const after = await stack.core.store.getSubscription(id);
    expect(after).toMatchObject({ ...left, dueAt: expect.any(Date) as Date });
    expect(await inAnHour(id)).toBe(true);
    expect(await inAnHour(fresh)).toBe(true);
    await sweep();
    expect(await stack.core.store.getSubscription(id)).toEqual(after);
  });

  it('shows no failure any more, when that is a day old', async () => {
    const since = new Date(Date.now() - 25 * hour);
    const { id } = await leave({ failure: { detail: 'ensureSubscription: TypeError', since, tries: 9 } });
    await sweep();
    expect((await stack.core.store.getSubscription(id))!.failure).toBeNull();
    expect(await inAnHour(id)).toBe(true);
  });
});

it('has discarded what came in during a pause and was left by its intake, and not what was held before', async () => {
  const left = await makeWebhookUser(stack, 'recorder');
  const held = await makeWebhookUser(stack, 'recorder');
  for (const each of [left, held]) {
    await each.die();
    await each.send({ n: 0 });
    await each.user.patch(each.path, { status: 'DISABLED' });
  }
  await sleep(1_100);
  await left.send({ n: 1 });
  // As after a 503: the row was committed, and the database was gone before the gate could be read.
  await query(
    stack.databaseUrl,
    `UPDATE deliveries SET state = 'queued', reason = NULL, finished_at = NULL WHERE integration_id = $1`,
    [left.integrationId],
  );
  await sweep();
  expect(woken).not.toContain(left.integrationId);
  await sleep(1_100);
  await sweep();
  expect(woken).toContain(left.integrationId);
  expect(woken).not.toContain(held.integrationId);
  await stack.core.workflows.wakeWebhooks(idOf('integration', left.integrationId));
  await left.user.until(`${left.path}/deliveries?state=discarded`, page => page.data?.length === 1);
  const { body } = await left.user.get(`${left.path}/deliveries`);
  expect(body.data).toMatchObject([
    { state: 'queued', held: true },
    { state: 'discarded', outcome: { reason: 'integration_disabled' } },
  ]);
  woken.splice(0);
  await sweep();
  expect(woken).not.toContain(left.integrationId);
});

it('removes what is left of the consumer of an integration that is gone', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await it.send({ n: 0 });
  await it.untilHandled(1);
  await stack.core.client.workflow.getHandle(`webhooks/${it.integrationId}`).result();
  expect((await it.user.request('DELETE', it.path)).status).toBe(204);
  const left = () =>
    query(stack.databaseUrl, 'SELECT 1 FROM delivery_consumers WHERE integration_id = $1', [it.integrationId]);
  await sweep();
  expect(await left()).toHaveLength(1);
  await query(
    stack.databaseUrl,
    `UPDATE delivery_consumers SET since = now() - interval '2 days' WHERE integration_id = $1`,
    [it.integrationId],
  );
  await sweep();
  expect(await left()).toHaveLength(0);
});

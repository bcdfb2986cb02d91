import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from '../support/ids.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule } from '../support/webhook-user.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule });
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

it('a status that flips many times a second leaves nothing behind, runs nothing twice, and keeps the order', async () => {
  const it = await makeWebhookUser(stack, 'patient');
  for (const n of range(60)) expect(await it.send({ n, waitMs: 25 })).toBe(200);
  for (let flip = 0; flip < 40; flip += 1) {
    await it.user.patch(it.path, { status: flip % 2 === 0 ? 'DISABLED' : 'ENABLED' });
    await sleep(40);
  }
  expect(await it.untilHandled(60, 60_000)).toEqual(range(60));
  expect(it.lines('begin')).toHaveLength(60);
}, 90_000);

it('an integration that is deleted while its handler runs has the rest discarded, with the reason', async () => {
  const it = await makeWebhookUser(stack, 'patient');
  for (const n of range(3)) await it.send({ n, waitMs: 1_000 });
  while (it.lines('begin').length === 0) await sleep(20);
  expect((await it.user.request('DELETE', it.path)).status).toBe(204);
  const { store } = stack.core;
  const id = idOf('integration', it.integrationId);
  const until = Date.now() + 20_000;
  while ((await store.readQueue(id, 10)) !== null && Date.now() < until) await sleep(50);
  const { rows } = await store.listDeliveries(id, {}, { limit: 10, after: null });
  expect(rows.slice(1)).toMatchObject(range(2).map(() => ({ state: 'discarded', reason: 'integration_deleted' })));
  expect(it.lines('begin')).toHaveLength(1);
}, 40_000);

it('a test that passes releases what was held, in order', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 401 } });
  await it.user.post(`/api/credentials/${it.credentialId}/test`);
  await it.user.until(it.path, integration => integration.status === 'ERROR');
  await sleep(1_100);
  for (const n of range(10)) expect(await it.send({ n })).toBe(200);
  expect(it.handled()).toEqual([]);
  await callControl(stack.sandbox, 'DELETE', '/faults');
  await it.user.post(`/api/credentials/${it.credentialId}/test`);
  expect(await it.untilHandled(10)).toEqual(range(10));
}, 40_000);

it('a test that passes releases also what a dead worker had claimed', async () => {
  const it = await makeWebhookUser(stack, 'recorder');
  const { store } = stack.core;
  const id = idOf('integration', it.integrationId);
  await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 401 } });
  await it.user.post(`/api/credentials/${it.credentialId}/test`);
  await it.user.until(it.path, integration => integration.status === 'ERROR');
  await sleep(1_100);
  for (const n of range(3)) expect(await it.send({ n })).toBe(200);
  // As it is left where Temporal was reset or lost the run, so that no attempt came after the one that died.
  await store.becomeConsumer(id, 'dead/1/1', new Date());
  const lot = { integrationId: id, claim: 'dead/1/1', order: 'arrival', limit: 10, now: new Date() } as const;
  expect(await store.claimDeliveries(lot)).toHaveLength(3);
  await callControl(stack.sandbox, 'DELETE', '/faults');
  await it.user.post(`/api/credentials/${it.credentialId}/test`);
  expect(await it.untilHandled(3)).toEqual(range(3));
}, 40_000);

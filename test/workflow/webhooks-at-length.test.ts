import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { makeWebhookUser, recorderModule } from '../support/webhook-user.js';
import { recordHistory } from '../support/record-history.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_INTEGRATIONS: recorderModule });
  await stack.startWorker();
});
afterAll(() => stack.stop());

it('reports what it has done after a minute of work, and goes on where it was', async () => {
  const count = 45;
  const it = await makeWebhookUser(stack, 'patient');
  for (let n = 0; n < count; n += 1) await it.send({ n, waitMs: 1_500 });
  expect(await it.untilHandled(count, 90_000)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(it.lines('begin')).toHaveLength(count);
  const workflowId = `webhooks/${it.integrationId}`;
  expect(await stack.core.client.workflow.getHandle(workflowId).result()).toMatchObject({ handled: count });
  await recordHistory(stack.core.client, workflowId, 'webhooks-more');
}, 150_000);

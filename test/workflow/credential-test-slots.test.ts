import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCredentialResult } from '../../src/contracts/workflows.js';
import { idOf } from '../support/ids.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

/** The worker of a test stack runs ten activities at a time. */
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterAll(() => stack.stop());

it('credential tests that wait for refreshes leave the worker to others', async () => {
  const tested = await Promise.all(
    Array.from({ length: 15 }, async () => {
      const user = stack.user();
      const { attempt, body } = await user.connect('globex');
      await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
      return { user, credentialId: idOf('credential', body.credential_id) };
    }),
  );
  await callControl(stack.sandbox, 'POST', '/accounts/globex/expire');
  await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'refresh', status: 503 } });
  for (const { user, credentialId } of tested) {
    expect((await user.post(`/api/credentials/${credentialId}/test`)).status).toBe(202);
  }
  await sleep(1_000);
  const startedAt = Date.now();
  expect((await stack.user().connect('acme')).status).toBe(200);
  expect(Date.now() - startedAt).toBeLessThan(3_000);

  const results = tested.map(
    async ({ credentialId }) =>
      (await stack.core.client.workflow.getHandle(`test/${credentialId}/1`).result()) as TestCredentialResult,
  );
  expect(await Promise.all(results)).toEqual(tested.map(() => ({ outcome: 'needs_refresh' })));
}, 60_000);

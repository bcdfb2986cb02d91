import { createLog } from '../../src/log.js';
import { pickPort } from '../../src/embedded/pick-port.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
let address: string;

beforeAll(async () => {
  address = `127.0.0.1:${await pickPort(undefined, 'metrics', () => undefined)}`;
  stack = await startTestStack({ RELINK_WORKER_METRICS_ADDRESS: address });
  await stack.startWorker();
});
afterAll(() => stack.stop());

async function countDeaths(): Promise<readonly string[]> {
  const answer = await fetch(`http://${address}/metrics`);
  return (await answer.text()).split('\n').filter(line => line.startsWith('relink_credential_deaths_total{'));
}

test('a worker with an address for its metrics counts the deaths of credentials there', async () => {
  const user = stack.user();
  const { attempt, body } = await user.connect('acme');
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  expect(await countDeaths()).toEqual([]);
  await callControl(stack.sandbox, 'POST', '/accounts/acme/revoke');
  await user.post(`/api/credentials/${body.credential_id}/test`);
  await user.until(`/api/credentials/${body.credential_id}`, credential => credential.last_test !== null);
  const [line, ...others] = await countDeaths();
  expect(others).toEqual([]);
  expect(line).toContain('code="credential_refused"');
  expect(line).toContain('provider="sandbox"');
  expect(line).toMatch(/ 1$/);
});

test('an address that somebody else listens on ends the start with one plain line', async () => {
  const taken = new URL(stack.sandbox.url).host;
  // The runtime of this process is installed; a second one is another worker's, in a registry of its own.
  await jest.isolateModulesAsync(async () => {
    const { installRuntime: installAgain } = await import('../../src/temporal/create-worker.js');
    expect(() => installAgain(createLog('silent', 'temporal'), taken)).toThrow(
      `RELINK_WORKER_METRICS_ADDRESS: ${taken} is in use already`,
    );
  });
});

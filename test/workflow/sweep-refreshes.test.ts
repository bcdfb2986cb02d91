import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { SweepResult } from '../../src/contracts/activities.js';
import type { CredentialId } from '../../src/domain/ids.js';
import type { ApiClient } from '../../src/cli/api-client.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1' });
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const change = async (sql: string, values: unknown[]) => {
  const client = new Client({ connectionString: stack.databaseUrl });
  await client.connect();
  await client.query(sql, values);
  await client.end();
};
const letFallDue = (ids: readonly CredentialId[]) =>
  change(`UPDATE credentials SET refresh_due_at = now() - interval '1 second' WHERE id = ANY($1)`, [ids]);

async function connect(user: ApiClient, account = 'globex'): Promise<CredentialId> {
  const { attempt, body } = await user.connect(account);
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  return idOf('credential', body.credential_id);
}

const generationOf = async (id: CredentialId) => (await stack.core.store.getCredential(id))?.generation;
async function untilGeneration(id: CredentialId, generation: number, withinMs = 10_000): Promise<void> {
  const until = Date.now() + withinMs;
  while ((await generationOf(id)) !== generation) {
    if (Date.now() > until) throw new Error(`${id} is not of generation ${generation}`);
    await sleep(50);
  }
}

let runs = 0;
const sweep = async () => {
  runs += 1;
  const workflowId = `sweep/${stack.taskQueue}/${runs}`;
  const result: unknown = await stack.core.client.workflow.execute('sweep', { taskQueue: stack.taskQueue, workflowId });
  return result as SweepResult;
};

it('refreshes what falls due, ahead of its end, and nothing else', async () => {
  const user = stack.user();
  const [due, other] = [await connect(user), await connect(stack.user())];
  const before = await stack.core.store.getCredential(due);
  // An hour's token falls due between 42 and 48 minutes after it came.
  const aheadMs = (before?.expiresAt?.getTime() ?? 0) - (before?.refreshDueAt?.getTime() ?? 0);
  expect(aheadMs).toBeGreaterThan(11.9 * 60_000);
  expect(aheadMs).toBeLessThan(18.1 * 60_000);
  expect(await sweep()).toMatchObject({ refreshes: 0 });
  await letFallDue([due]);
  expect(await sweep()).toMatchObject({ refreshes: 1 });
  await untilGeneration(due, 2);
  expect(await generationOf(other)).toBe(1);
  expect((await stack.core.store.getCredential(due))?.refreshDueAt?.getTime()).toBeGreaterThan(Date.now());
  expect(await sweep()).toMatchObject({ refreshes: 0 });
});

it('leaves a refresh that is running alone, and begins another for one that was terminated', async () => {
  const id = await connect(stack.user());
  const handle = await stack.core.client.workflow.start('refresh', {
    taskQueue: 'nobody-polls-this',
    workflowId: `refresh/${id}/1/0`,
    args: [],
  });
  await letFallDue([id]);
  expect(await sweep()).toMatchObject({ refreshes: 0 });
  expect((await stack.core.store.getCredential(id))?.refreshDueAt?.getTime()).toBeGreaterThan(Date.now() + 9 * 60_000);
  await handle.terminate('by the test');
  await letFallDue([id]);
  expect(await sweep()).toMatchObject({ refreshes: 0 });
  expect(await sweep()).toMatchObject({ refreshes: 1 });
  await untilGeneration(id, 2);
});

it('goes no faster than the pace', async () => {
  const provider = stack.core.providers.list().find(({ id }) => id === 'sandbox');
  if (provider === undefined) throw new Error('no sandbox');
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await connect(stack.user()));
  // A round every 30 s: one in each.
  Object.assign(provider, { refreshesPerMinute: 2 });
  await letFallDue(ids);
  for (let round = 0; round < 3; round += 1) expect(await sweep()).toMatchObject({ refreshes: 1 });
  expect(await sweep()).toMatchObject({ refreshes: 0 });
  Object.assign(provider, { refreshesPerMinute: undefined });
  for (const id of ids) await untilGeneration(id, 2);
});

it('begins one a round while the provider rejects our client, until it takes it', async () => {
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await connect(stack.user()));
  stack.hosts.clientFaults.noteRejected(sandboxProvider);
  await letFallDue(ids);
  expect(await sweep()).toMatchObject({ refreshes: 1 });
  // The one that was begun passes, and ends the incident.
  const until = Date.now() + 10_000;
  while (stack.hosts.clientFaults.isRejected(sandboxProvider) && Date.now() < until) await sleep(50);
  expect(await sweep()).toMatchObject({ refreshes: 2 });
  for (const id of ids) await untilGeneration(id, 2);
});

it('warns once of a grant that ends', async () => {
  const id = await connect(stack.user());
  await change(
    `UPDATE credentials SET grant_ends_at = now() + interval '13.5 days', grant_warn_at = now() WHERE id = $1`,
    [id],
  );
  expect(await sweep()).toMatchObject({ warned: 1 });
  expect(await sweep()).toMatchObject({ warned: 0 });
  const lines = stack.logLines.filter(line => line.includes(`The grant of ${id}`));
  expect(lines).toEqual([expect.stringMatching(/"level":"warn".*at sandbox ends in 13 days, whatever is done/)]);
});

it('takes an outage of a provider for one incident, and hurts no credential by it', async () => {
  const ids = [];
  for (let count = 0; count < 8; count += 1)
    ids.push(await connect(stack.user(), count % 2 === 0 ? 'globex' : 'initech'));
  const from = stack.logLines.length;
  await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'refresh', status: 503 } });
  await letFallDue(ids);
  expect(await sweep()).toMatchObject({ refreshes: 8 });
  await sleep(6_000);
  for (const id of ids) expect(await stack.core.store.getCredential(id)).toMatchObject({ authIsValid: true });
  await callControl(stack.sandbox, 'DELETE', '/faults');
  for (const id of ids) await untilGeneration(id, 2, 90_000);
  const lines = stack.logLines.slice(from).filter(line => /"level":"(warn|error)"|answers again/.test(line));
  expect(lines).toEqual([
    expect.stringContaining('sandbox seems to be down'),
    expect.stringContaining('sandbox answers again'),
  ]);
}, 120_000);

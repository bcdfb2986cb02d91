import { Client } from 'pg';
import type { SweepResult } from '../../src/contracts/activities.js';
import { recordHistory } from '../support/record-history.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterAll(() => stack.stop());

const ageSession = async (attempt: string, seconds: number, state?: string) => {
  const client = new Client({ connectionString: stack.databaseUrl });
  await client.connect();
  await client.query(
    `UPDATE authorization_sessions SET updated_at = now() - make_interval(secs => $2), state = coalesce($3, state) WHERE id = $1`,
    [attempt, seconds, state ?? null],
  );
  await client.end();
};

let runs = 0;
const sweep = async () => {
  runs += 1;
  const workflowId = `sweep/${stack.taskQueue}/${runs}`;
  const result: unknown = await stack.core.client.workflow.execute('sweep', { taskQueue: stack.taskQueue, workflowId });
  return { workflowId, result: result as SweepResult };
};

describe('the sweep', () => {
  it('starts what was written but not started, and only once', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
    expect((await consent.deliver()).status).toBe(202);
    runReauth.mockRestore();

    expect((await sweep()).result).toMatchObject({ started: 0 });
    await ageSession(consent.attempt, 31);
    const { workflowId, result } = await sweep();
    expect(result).toMatchObject({ started: 1 });
    await user.until(`/api/authorize/${consent.attempt}`, session => session.status === 'restored');
    expect((await sweep()).result).toMatchObject({ started: 0 });
    await recordHistory(stack.core.client, workflowId, 'sweep');
  });

  it('ends an exchange that lost its process as exchange_outcome_unknown, after a minute and not before', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await ageSession(consent.attempt, 59, 'exchanging');
    expect((await sweep()).result).toMatchObject({ ended: 0 });
    await ageSession(consent.attempt, 61, 'exchanging');
    expect((await sweep()).result).toMatchObject({ ended: 1 });
    const { body } = await user.get(`/api/authorize/${consent.attempt}`);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'exchange_outcome_unknown' } });
    expect((await consent.deliver()).body.error?.code).toBe('exchange_outcome_unknown');
    expect((await user.get('/api/credentials')).body.data).toEqual([]);
  });

  it('starts a run over that was terminated before it wrote its outcome', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
    await consent.deliver();
    runReauth.mockRestore();
    await stack.core.client.workflow.start('reauth', {
      taskQueue: 'nobody-polls-this',
      workflowId: `reauth/${consent.attempt}`,
      args: [{ sessionId: consent.attempt, provider: 'sandbox' }],
    });
    await ageSession(consent.attempt, 31);
    expect((await sweep()).result).toMatchObject({ started: 0 });
    await stack.core.client.workflow.getHandle(`reauth/${consent.attempt}`).terminate('by the test');
    await ageSession(consent.attempt, 31);
    expect((await sweep()).result).toMatchObject({ started: 1 });
    await user.until(`/api/authorize/${consent.attempt}`, session => session.status === 'restored');
  });
});

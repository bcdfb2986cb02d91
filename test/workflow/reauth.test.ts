import { WorkflowFailedError } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReauthResult } from '../../src/contracts/workflows.js';
import { createWorkflowStarter } from '../../src/temporal/create-workflow-starter.js';
import { callControl } from '../support/sandbox-client.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { withoutTable } from '../support/rename-table.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_CALLBACK_DEADLINE: '5' });
  await stack.startWorker();
});
afterAll(() => stack.stop());

const resultOf = async (attempt: string) =>
  (await stack.core.client.workflow.getHandle(`reauth/${attempt}`).result()) as ReauthResult;

const failureTypeOf = async (attempt: string) => {
  const error: unknown = await stack.core.client.workflow
    .getHandle(`reauth/${attempt}`)
    .result()
    .catch((caught: unknown) => caught);
  if (!(error instanceof WorkflowFailedError)) throw new Error('the run did not fail');
  return error.cause !== undefined && 'type' in error.cause ? error.cause.type : undefined;
};

const activitiesOf = async (attempt: string) => {
  const { events } = await stack.core.client.workflow.getHandle(`reauth/${attempt}`).fetchHistory();
  return (events ?? []).flatMap(event => {
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
    return name ? [name] : [];
  });
};

describe('reauth', () => {
  it('stores the credential, upserts the entity and restores, in this order, and answers after the second', async () => {
    const user = stack.user();
    const { attempt, status, body } = await user.connect('acme');
    expect(status).toBe(200);
    const result = await resultOf(attempt);
    expect(body).toEqual({ credential_id: result.credentialId, entity_id: result.entityId, type: 'sandbox' });
    expect(await activitiesOf(attempt)).toEqual(['persistCredential', 'upsertEntity', 'restoreIntegrationStatuses']);
    await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
    await recordHistory(stack.core.client, `reauth/${attempt}`, 'reauth-connected');
  });

  it('lets the restore retry on its own after the user has the answer', async () => {
    const user = stack.user();
    const attempt = await withoutTable(stack.databaseUrl, 'integration_entities', async () => {
      const connected = await user.connect('acme');
      expect(connected.status).toBe(200);
      await sleep(1_200);
      const { body } = await user.get(`/api/authorize/${connected.attempt}`);
      expect(body.status).toBe('connected');
      return connected.attempt;
    });
    await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
    await resultOf(attempt);
    await recordHistory(stack.core.client, `reauth/${attempt}`, 'reauth-restore-retried');
  });

  it('waits for a provider that is down and answers by itself', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 503, count: 3 } });
    const answer = await consent.deliver();
    expect(answer.status).toBe(200);
    await resultOf(consent.attempt);
    await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-identity-retried');
  });

  it('ends an attempt whose new token the provider refuses, with nothing stored', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 401, count: 1 } });
    const answer = await consent.deliver();
    expect(answer.status).toBe(502);
    expect(answer.body.error?.code).toBe('identity_refused');
    expect(await failureTypeOf(consent.attempt)).toBe('identity_refused');
    expect((await user.get('/api/credentials')).body.data).toEqual([]);
    await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-identity-refused');
  });

  it('refuses another account than the one to reconnect and leaves the old rows byte for byte', async () => {
    const user = stack.user();
    const first = await user.connect('acme');
    const entityId = idOf('entity', first.body.entity_id);
    const credentialId = idOf('credential', first.body.credential_id);
    await user.until(`/api/authorize/${first.attempt}`, session => session.status === 'restored');
    const before = [await stack.core.store.getCredential(credentialId), await stack.core.store.getEntity(entityId)];
    const second = await user.connect('hooli', { entityId });
    expect(second.status).toBe(409);
    expect(second.body.error?.code).toBe('wrong_account');
    expect(await failureTypeOf(second.attempt)).toBe('wrong_account');
    expect([await stack.core.store.getCredential(credentialId), await stack.core.store.getEntity(entityId)]).toEqual(
      before,
    );
    await recordHistory(stack.core.client, `reauth/${second.attempt}`, 'reauth-wrong-account');
  });

  it('does the same work when it was started without its update, as after a restart of Temporal', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    const callback = new URL(consent.finalUrl);
    expect(callback.searchParams.has('code')).toBe(true);
    const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
    const answer = await consent.deliver();
    runReauth.mockRestore();
    expect(answer.status).toBe(202);
    const input = { sessionId: idOf('session', consent.attempt), provider: sandboxProvider };
    expect(await stack.core.workflows.startReauth(input)).toBe(true);
    expect(await stack.core.workflows.startReauth(input)).toBe(false);
    await user.until(`/api/authorize/${consent.attempt}`, session => session.status === 'restored');
    await resultOf(consent.attempt);
    await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-started-by-sweep');
    const repeated = await consent.deliver();
    expect(repeated.status).toBe(200);
  });

  it('gives the same answer to a repeat that reaches the finished run', async () => {
    const user = stack.user();
    const { attempt, body } = await user.connect('acme');
    await resultOf(attempt);
    const input = { sessionId: idOf('session', attempt), provider: sandboxProvider };
    expect(await stack.core.workflows.runReauth(input, 5_000)).toEqual({
      kind: 'connected',
      credentialId: body.credential_id,
      entityId: body.entity_id,
    });
  });

  it('ends as connect_timed_out when the provider stays away for too long', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 503 } });
    const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
    expect((await consent.deliver()).status).toBe(202);
    runReauth.mockRestore();
    const impatient = createWorkflowStarter(stack.core.client, { ...stack.core.config, connectWithinMs: 1_500 });
    await impatient.startReauth({ sessionId: idOf('session', consent.attempt), provider: sandboxProvider });
    expect(await failureTypeOf(consent.attempt)).toBe('connect_timed_out');
    await callControl(stack.sandbox, 'DELETE', '/faults');
    const { body } = await user.get(`/api/authorize/${consent.attempt}`);
    expect(body).toMatchObject({ status: 'failed', error: { code: 'connect_timed_out' } });
    expect((await user.get('/api/credentials')).body.data).toEqual([]);
    await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-timed-out');
  });

  it('can be cancelled by an operator while it waits, and leaves the attempt to the sweep', async () => {
    const user = stack.user();
    const consent = await user.consent('acme');
    await callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'identity', status: 503 } });
    const input = { sessionId: idOf('session', consent.attempt), provider: sandboxProvider };
    const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
    await consent.deliver();
    runReauth.mockRestore();
    await stack.core.workflows.startReauth(input);
    const handle = stack.core.client.workflow.getHandle(`reauth/${consent.attempt}`);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-cancelled');
    await callControl(stack.sandbox, 'DELETE', '/faults');
    expect(await stack.core.workflows.startReauth(input)).toBe(true);
    await user.until(`/api/authorize/${consent.attempt}`, session => session.status === 'restored');
  });
});

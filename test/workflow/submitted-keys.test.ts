import type { ApiClient } from '../../src/cli/api-client.js';
import { callControl } from '../support/sandbox-client.js';
import { idOf } from '../support/ids.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1' });
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const control = (path: string, body?: unknown) =>
  callControl(stack.sandbox, 'POST', path, body === undefined ? {} : { body });
const counters = async () =>
  (await (await callControl(stack.sandbox, 'GET', '/counters')).json()) as { token_requests: number };

/** Has the account make a key, and returns it as `fields` of a request. */
async function makeFields(account: string, kind: string): Promise<Record<string, string>> {
  return (await (await control(`/accounts/${account}/keys`, { kind })).json()) as Record<string, string>;
}

async function submit(user: ApiClient, account: string, kind: string) {
  const fields = await makeFields(account, kind);
  const { status, body } = await user.post('/api/credentials', { entityType: 'sandbox', kind, fields });
  expect(status).toBe(200);
  return { credentialId: idOf('credential', body.credential_id), entityId: idOf('entity', body.entity_id) };
}

async function testCredential(user: ApiClient, credentialId: string): Promise<unknown> {
  const { generation } = (await user.get(`/api/credentials/${credentialId}`)).body;
  await user.post(`/api/credentials/${credentialId}/test`);
  return (await stack.core.client.workflow.getHandle(`test/${credentialId}/${generation}`).result()) as unknown;
}

describe.each(['api_key', 'basic'])('%s', kind => {
  it('outlives a stray 401, dies for good in ERROR without a token request, and comes back when replaced', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await submit(user, 'acme', kind);
    const created = await user.post('/api/integrations', { type: 'contact-sync', entities: [entityId] });
    const integration = `/api/integrations/${created.body.id}`;
    const before = await counters();

    await control('/faults', { endpoint: 'identity', status: 401, count: 2 });
    expect(await testCredential(user, credentialId)).toEqual({ outcome: 'ok' });
    expect((await user.get(integration)).body.status).toBe('ENABLED');

    await control('/accounts/acme/revoke');
    expect(await testCredential(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(integration)).body).toMatchObject({
      status: 'ERROR',
      causes: [
        {
          ...{ credential_id: credentialId, kind, code: 'credential_refused', http_status: 401 },
          text: expect.stringMatching(/Give a new (key|user name and password)\.$/) as string,
        },
      ],
    });
    expect((await counters()).token_requests).toBe(before.token_requests);

    const again = await submit(user, 'acme', kind);
    expect(again).toEqual({ credentialId, entityId });
    await user.until(integration, body => body.status === 'ENABLED');
  });

  it('that another account owns does not replace it', async () => {
    const user = stack.user();
    const { entityId } = await submit(user, 'acme', kind);
    const fields = await makeFields('hooli', kind);
    const { status, body } = await user.post('/api/credentials', { entityType: 'sandbox', kind, fields, entityId });
    expect([status, body.error?.code]).toEqual([409, 'wrong_account']);
  });
});

describe('client credentials', () => {
  it('are connected by a token minted once, and the secret of a wrong client changes nothing', async () => {
    const user = stack.user();
    await callControl(stack.sandbox, 'DELETE', '/counters');
    const { credentialId } = await submit(user, 'globex', 'client_credentials');
    expect(await (await callControl(stack.sandbox, 'GET', '/counters')).json()).toMatchObject({
      by_grant_type: { client_credentials: 1 },
    });
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({
      kind: 'client_credentials',
      refreshable: true,
      generation: 1,
    });
    const fields = { ...(await makeFields('globex', 'client_credentials')), clientSecret: 'wrong' };
    const kind = 'client_credentials';
    const { status, body } = await user.post('/api/credentials', { entityType: 'sandbox', kind, fields });
    expect([status, body.error?.code]).toEqual([422, 'secret_refused']);
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({ generation: 1 });
  });
});

describe('client credentials that ran out', () => {
  const kind = 'client_credentials';
  const byGrant = async () =>
    ((await (await callControl(stack.sandbox, 'GET', '/counters')).json()) as { by_grant_type: Record<string, number> })
      .by_grant_type;

  it('mint one new token for 20 callers at once', async () => {
    const user = stack.user();
    const { credentialId } = await submit(user, 'globex', kind);
    const credential = await stack.core.store.getCredential(credentialId);
    if (credential === null) throw new Error('gone');
    await callControl(stack.sandbox, 'DELETE', '/counters');
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => stack.core.refresher.refresh(credential)));
    for (const outcome of outcomes) expect(outcome).toEqual({ kind: 'refreshed', generation: 2 });
    expect(await byGrant()).toEqual({ client_credentials: 1 });
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({ kind, refreshable: true });
  });

  it('mint again after an answer that was lost, for nothing is spent by it', async () => {
    const user = stack.user();
    const { credentialId } = await submit(user, 'globex', kind);
    const credential = await stack.core.store.getCredential(credentialId);
    if (credential === null) throw new Error('gone');
    await control('/faults', { endpoint: 'token', kind: 'lost', count: 1 });
    const outcome = await stack.core.refresher.refresh(credential, { deadlineMs: 20_000 });
    if (outcome.kind === 'pending') await user.until(`/api/credentials/${credentialId}`, body => body.generation === 2);
    else expect(outcome).toEqual({ kind: 'refreshed', generation: 2 });
  }, 40_000);

  it('are dead under the true cause when a worker died before: nothing is spent by a lost answer', async () => {
    const user = stack.user();
    const { credentialId } = await submit(user, 'globex', kind);
    const { store, refresher } = stack.core;
    const credential = await store.markRefreshPosted(credentialId, 1, 0, new Date());
    if (credential === null) throw new Error('gone');
    await control('/accounts/globex/revoke');
    const outcome = await refresher.refresh(credential, { deadlineMs: 25_000 });
    expect(outcome).toEqual({ kind: 'dead' });
    expect((await store.getCredential(credentialId))?.verdict?.code).toBe('refresh_refused');
  }, 40_000);

  it('are dead when their client is refused, which is their user and not the operator', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await submit(user, 'globex', kind);
    const created = await user.post('/api/integrations', { type: 'contact-sync', entities: [entityId] });
    const credential = await stack.core.store.getCredential(credentialId);
    if (credential === null) throw new Error('gone');
    await control('/accounts/globex/revoke');
    expect(await stack.core.refresher.refresh(credential)).toEqual({ kind: 'dead' });
    await user.until(`/api/integrations/${created.body.id}`, body => body.status === 'ERROR');
    expect((await user.get(`/api/integrations/${created.body.id}`)).body.causes).toMatchObject([
      { kind, code: 'refresh_refused', text: expect.stringMatching(/Give a new client id and secret\.$/) as string },
    ]);
    expect(await submit(user, 'globex', kind)).toEqual({ credentialId, entityId });
    await user.until(`/api/integrations/${created.body.id}`, body => body.status === 'ENABLED');
  });
});

it('a key in the history of no workflow, in no form', async () => {
  const user = stack.user();
  const fields = await makeFields('hooli', 'api_key');
  const answer = await user.post('/api/credentials', { entityType: 'sandbox', kind: 'api_key', fields });
  expect(answer.status).toBe(200);
  const runs = stack.core.client.workflow.list({ query: `TaskQueue = '${stack.taskQueue}'` }).intoHistories();
  let seen = 0;
  for await (const { history } of runs) {
    seen += 1;
    const text = JSON.stringify(history, (_name, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    );
    expect(text).not.toContain(fields.apiKey);
  }
  expect(seen).toBeGreaterThan(0);
});

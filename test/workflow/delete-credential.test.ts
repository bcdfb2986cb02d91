import type { ApiClient } from '../../src/cli/api-client.js';
import type { DeleteCredentialInput, DeleteCredentialResult } from '../../src/contracts/workflows.js';
import { callControl, fetchIdentity } from '../support/sandbox-client.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { parseTokenSet } from '../../src/providers/token-set-codec.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const fault = (body: object) =>
  callControl(stack.sandbox, 'POST', '/faults', { body: { endpoint: 'revoke', ...body } });

const connect = async (user: ApiClient, account = 'globex') => {
  const { attempt, body } = await user.connect(account);
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  return { credentialId: idOf('credential', body.credential_id), entityId: idOf('entity', body.entity_id) };
};

const accessTokenOf = async (id: Awaited<ReturnType<typeof connect>>['credentialId']) => {
  const sealed = (await stack.core.store.getCredential(id))?.sealedTokens ?? '';
  return parseTokenSet(stack.core.vault.open(sealed, credentialTokensBinding(id))).accessToken.reveal();
};

const resultOf = async (credentialId: string, epoch: number) =>
  (await stack.core.client.workflow.getHandle(`delete/${credentialId}/${epoch}`).result()) as DeleteCredentialResult;

it('revokes the grant and removes the credential with its entity', async () => {
  const user = stack.user();
  const { credentialId, entityId } = await connect(user);
  const token = await accessTokenOf(credentialId);
  expect((await user.request('DELETE', `/api/credentials/${credentialId}`)).status).toBe(204);
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'removed', revocation: 'revoked' });
  expect((await fetchIdentity(stack.sandbox, token)).status).toBe(401);
  expect((await user.get(`/api/credentials/${credentialId}`)).status).toBe(404);
  expect((await user.get(`/api/entities/${entityId}`)).status).toBe(404);
  await recordHistory(stack.core.client, `delete/${credentialId}/2`, 'delete-removed');
});

it('empties what integrations use, has them in ERROR, and a new connection restores them', async () => {
  const user = stack.user();
  const { credentialId, entityId } = await connect(user);
  const created = await user.post('/api/integrations', { type: 'contact-sync', entities: [entityId] });
  const integration = `/api/integrations/${created.body.id}`;
  expect((await user.request('DELETE', `/api/credentials/${credentialId}?force=true`)).status).toBe(204);
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'emptied', revocation: 'revoked' });
  expect((await user.get(integration)).body).toMatchObject({
    status: 'ERROR',
    causes: [{ code: 'credential_deleted' }],
  });
  expect((await user.post(`/api/credentials/${credentialId}/test`)).status).toBe(409);
  // A test that began before: of what is gone it finds nothing to heal.
  const { workflows, config } = stack.core;
  const test = { credentialId, provider: sandboxProvider, graceMs: config.testGraceMs };
  expect(await workflows.runCredentialTest(test, 1, 20_000)).toBe('gone');
  await connect(user);
  await user.until(integration, body => body.status === 'ENABLED');
  await recordHistory(stack.core.client, `delete/${credentialId}/2`, 'delete-emptied');
});

it('goes on revoking while the provider is away', async () => {
  const user = stack.user();
  const { credentialId } = await connect(user);
  const token = await accessTokenOf(credentialId);
  await fault({ status: 503, count: 1 });
  await fault({ kind: 'reset', count: 1 });
  await user.request('DELETE', `/api/credentials/${credentialId}`);
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'removed', revocation: 'revoked' });
  expect((await fetchIdentity(stack.sandbox, token)).status).toBe(401);
  await recordHistory(stack.core.client, `delete/${credentialId}/2`, 'delete-revocation-retried');
});

it('a reconnect while it is being revoked wins: what is new stays', async () => {
  const user = stack.user();
  const { credentialId, entityId } = await connect(user);
  await fault({ status: 503, count: 2 });
  await user.request('DELETE', `/api/credentials/${credentialId}`);
  expect(await connect(user)).toEqual({ credentialId, entityId });
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'overtaken', revocation: 'overtaken' });
  expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({ auth_is_valid: true });
  expect((await fetchIdentity(stack.sandbox, await accessTokenOf(credentialId))).status).toBe(200);
  await recordHistory(stack.core.client, `delete/${credentialId}/2`, 'delete-overtaken');
});

it('does not keep tokens for ever for a provider that never answers, and says what is left to do', async () => {
  const user = stack.user();
  const { credentialId } = await connect(user);
  await stack.core.store.markCredentialDeleted(credentialId, 1, new Date());
  await fault({ status: 503 });
  const input: DeleteCredentialInput = { credentialId, provider: sandboxProvider, epoch: 2, revokeWithinMs: 1500 };
  await stack.core.client.workflow.start('deleteCredential', {
    taskQueue: stack.taskQueue,
    workflowId: `delete/${credentialId}/2`,
    args: [input],
  });
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'removed', revocation: 'unreachable' });
  const warnings = stack.logLines.filter(
    line => line.includes(credentialId) && line.includes('could not be asked to revoke'),
  );
  expect(warnings).toHaveLength(1);
  await recordHistory(stack.core.client, `delete/${credentialId}/2`, 'delete-unreachable');
});

it('deleted while its refresh is in flight: the new token is not stored, and the grant is revoked', async () => {
  const user = stack.user();
  const { credentialId } = await connect(user);
  const credential = await stack.core.store.getCredential(credentialId);
  if (credential === null) throw new Error('gone');
  await callControl(stack.sandbox, 'DELETE', '/counters');
  await callControl(stack.sandbox, 'POST', '/faults', {
    body: { endpoint: 'refresh', kind: 'late', delayMs: 1500, count: 1 },
  });
  const refreshing = stack.core.refresher.refresh(credential);
  const counters = async () =>
    (await (await callControl(stack.sandbox, 'GET', '/counters')).json()) as { token_requests: number };
  while ((await counters()).token_requests === 0) await new Promise(resolve => setTimeout(resolve, 20));
  await user.request('DELETE', `/api/credentials/${credentialId}`);
  expect(['dead', 'gone']).toContain((await refreshing).kind);
  expect(await resultOf(credentialId, 2)).toEqual({ outcome: 'removed', revocation: 'revoked' });
  expect((await counters()).token_requests).toBe(1);
});

it('the sweep starts what was marked and never started', async () => {
  const user = stack.user();
  const { credentialId } = await connect(user);
  await stack.core.store.markCredentialDeleted(credentialId, 1, new Date(Date.now() - 120_000));
  await stack.core.client.workflow.execute('sweep', {
    taskQueue: stack.taskQueue,
    workflowId: `sweep-${credentialId}`,
  });
  expect(await resultOf(credentialId, 2)).toMatchObject({ outcome: 'removed' });
});

it('no token is in the history of a deletion', async () => {
  const user = stack.user();
  const { credentialId } = await connect(user);
  const token = await accessTokenOf(credentialId);
  await user.request('DELETE', `/api/credentials/${credentialId}`);
  await resultOf(credentialId, 2);
  const history = await stack.core.client.workflow.getHandle(`delete/${credentialId}/2`).fetchHistory();
  const text = JSON.stringify(history, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
  expect(text).toContain(credentialId);
  expect(text).not.toContain(token);
});

import { grantOf } from '../contract/fixtures.js';
import type { InvalidateResult, TestCredentialResult } from '../../src/contracts/workflows.js';
import { callControl } from '../support/sandbox-client.js';
import { newId } from '../../src/ids.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import type { ApiClient } from '../../src/cli/api-client.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const control = (path: string, body?: unknown) =>
  callControl(stack.sandbox, 'POST', path, body === undefined ? {} : { body });

const connect = async (user: ApiClient, account = 'acme') => {
  const { attempt, body } = await user.connect(account);
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  return { credentialId: idOf('credential', body.credential_id), entityId: idOf('entity', body.entity_id) };
};

const integrate = async (user: ApiClient, entityId: string, type = 'contact-sync') => {
  const { status, body } = await user.post('/api/integrations', { type, entities: [entityId] });
  expect(status).toBe(201);
  return idOf('integration', body.id);
};

/** Runs the credential test through the API and returns the workflow's own result. */
const test = async (user: ApiClient, credentialId: string): Promise<TestCredentialResult> => {
  const { body } = await user.get(`/api/credentials/${credentialId}`);
  const answer = await user.post(`/api/credentials/${credentialId}/test`);
  expect(answer.status).toBe(202);
  return (await stack.core.client.workflow
    .getHandle(`test/${credentialId}/${body.generation}`)
    .result()) as TestCredentialResult;
};

describe('testing a credential', () => {
  it('passes and changes nothing while the provider accepts the token', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user);
    const before = await stack.core.store.getCredential(credentialId);
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    const after = await stack.core.store.getCredential(credentialId);
    expect(after).toMatchObject({ authIsValid: true, epoch: before?.epoch, generation: before?.generation });
    expect(after?.lastTest?.outcome).toBe('ok');
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-ok');
  });

  it('survives one stray 401', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const integrationId = await integrate(user, entityId);
    await control('/faults', { endpoint: 'identity', status: 401, count: 1 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ENABLED');
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-stray-401');
  });

  it('turns every integration of a dead credential into ERROR, once, with its cause and one error line', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const enabled = await integrate(user, entityId);
    const needsConfig = await integrate(user, entityId, 'pipeline-report');
    await control('/accounts/acme/revoke');
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    const dead = (await user.get(`/api/integrations/${enabled}`)).body;
    expect(dead.status).toBe('ERROR');
    expect(dead.causes).toEqual([
      expect.objectContaining({
        credential_id: credentialId,
        provider: 'sandbox',
        code: 'credential_refused',
        http_status: 401,
      }),
    ]);
    const waiting = (await user.get(`/api/integrations/${needsConfig}`)).body;
    expect(waiting.status).toBe('NEEDS_CONFIG');
    expect(waiting.causes).toHaveLength(1);
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    const again = (await user.get(`/api/integrations/${enabled}`)).body;
    expect(again).toEqual(dead);
    const errorLines = stack.logLines.filter(line => line.includes('"level":"error"') && line.includes(credentialId));
    expect(errorLines).toHaveLength(1);
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-refused-again');
    await recordHistory(stack.core.client, `invalidate/${credentialId}/1`, 'invalidate');
  });

  it('records the history of the refusal itself', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user, 'hooli');
    await control('/accounts/hooli/revoke');
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(`/api/credentials/${credentialId}`)).body.auth_is_valid).toBe(false);
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-refused');
  });

  it('heals ERROR when a later test passes, and never ends a pause', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const running = await integrate(user, entityId);
    const paused = await integrate(user, entityId, 'pipeline-report');
    await user.patch(`/api/integrations/${paused}`, { config: { pipelineId: '7' }, status: 'DISABLED' });
    await control('/faults', { endpoint: 'identity', status: 401, count: 4 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(`/api/integrations/${running}`)).body.status).toBe('ERROR');
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    expect((await user.get(`/api/integrations/${running}`)).body).toMatchObject({ status: 'ENABLED', causes: [] });
    expect((await user.get(`/api/integrations/${paused}`)).body).toMatchObject({ status: 'DISABLED', causes: [] });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-heals');
  });

  it('refreshes a refused token that can be, and passes with the new one', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'globex');
    const integrationId = await integrate(user, entityId);
    await control('/accounts/globex/expire');
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ENABLED');
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({
      auth_is_valid: true,
      generation: 2,
      last_test: { outcome: 'ok' },
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-awaits-refreshed');
  });

  it('refreshes one that has ended without asking about it, and heals what its client\u2019s rejection broke', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'globex');
    const integrationId = await integrate(user, entityId);
    const input = {
      credentialId,
      provider: sandboxProvider,
      epoch: 1,
      code: 'client_rejected',
      httpStatus: 401,
    } as const;
    await stack.core.workflows.runInvalidate(input, 'by-the-test', 10_000);
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ERROR');
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body).toMatchObject({
      status: 'ENABLED',
      causes: [],
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-awaits-refreshed-at-once');
  });

  it('finds a grant dead whose refresh is refused, and asks no more for it', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'globex');
    const integrationId = await integrate(user, entityId);
    await control('/accounts/globex/revoke');
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_refused' }],
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-awaits-refused');
    const before: unknown = await (await callControl(stack.sandbox, 'GET', '/counters')).json();
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect(await (await callControl(stack.sandbox, 'GET', '/counters')).json()).toEqual(before);
  });

  it('tells a refused refresh whose telling was lost', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'globex');
    const integrationId = await integrate(user, entityId);
    await control('/accounts/globex/revoke');
    const verdict = { code: 'refresh_refused', httpStatus: 400, since: new Date() } as const;
    await stack.core.store.markCredentialInvalid(credentialId, 1, verdict, new Date());
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_refused', http_status: 400 }],
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-tells-lost-refusal');
  });

  it('keeps a credential whose provider refuses the token that it has just issued', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'globex');
    const integrationId = await integrate(user, entityId);
    await control('/faults', { endpoint: 'identity', status: 401, count: 2 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ENABLED');
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({
      auth_is_valid: true,
      generation: 2,
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-awaits-new-token-refused');
  });

  it('answers needs_refresh while no new token is to be had', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user, 'globex');
    await control('/accounts/globex/expire');
    await control('/faults', { endpoint: 'refresh', status: 429, retryAfter: 30, count: 1 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'needs_refresh' });
    expect((await user.get(`/api/credentials/${credentialId}`)).body.auth_is_valid).toBe(true);
    await stack.core.client.workflow.getHandle(`refresh/${credentialId}/1/0`).terminate('by the test');
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-awaits-pending');
  });

  it('takes an outage for an outage', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const integrationId = await integrate(user, entityId);
    await control('/faults', { endpoint: 'identity', status: 503 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'unreachable' });
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ENABLED');
    expect((await user.get(`/api/credentials/${credentialId}`)).body.last_test?.outcome).toBe('unreachable');
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-unreachable');
  }, 60_000);

  it('of a token that our keys do not open fails, and is no word about the credential', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const integrationId = await integrate(user, entityId);
    const { store, vault, now } = stack.core;
    const credential = await store.getCredential(credentialId);
    // Sealed to another row, which is as unreadable as under another key.
    const sealedTokens = vault.seal(new Secret('{}'), credentialTokensBinding(newId('credential')));
    const grant = grantOf(1_000_000, { sealedTokens });
    await store.replaceGrant(credentialId, credential?.epoch ?? 0, grant, now());
    await expect(test(user, credentialId)).rejects.toMatchObject({ cause: { type: 'secret_unreadable' } });
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({
      auth_is_valid: true,
      last_test: null,
    });
    expect((await user.get(`/api/integrations/${integrationId}`)).body.status).toBe('ENABLED');
    expect(stack.logLines.filter(line => line.includes('"code":"secret_unreadable"'))).toEqual([
      expect.stringMatching(/"level":"error".*A stored secret cannot be opened/),
    ]);
    await recordHistory(stack.core.client, `test/${credentialId}/2`, 'test-credential-unreadable');
  });

  it('waits as long as a 429 asks and hurts nothing', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user);
    await control('/faults', { endpoint: 'identity', status: 429, retryAfter: 1, count: 1 });
    const startedAt = Date.now();
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950);
  });
});

describe('a test that something overtakes', () => {
  it('says so when the credential is gone', async () => {
    const input = { credentialId: newId('credential'), provider: sandboxProvider, graceMs: [] };
    await stack.core.workflows.startCredentialTest(input, 1);
    const workflowId = `test/${input.credentialId}/1`;
    expect(await stack.core.client.workflow.getHandle(workflowId).result()).toEqual({ outcome: 'gone' });
    await recordHistory(stack.core.client, workflowId, 'test-credential-gone');
  });

  it('counts the refusals of a new token from the start', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user, 'hooli');
    await control('/accounts/hooli/revoke');
    const running = test(user, credentialId);
    await user.until(`/api/credentials/${credentialId}`, () => true);
    await connect(user, 'hooli');
    expect(await running).toEqual({ outcome: 'ok' });
    expect((await user.get(`/api/credentials/${credentialId}`)).body).toMatchObject({
      auth_is_valid: true,
      verdict: null,
    });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-reconnected-meanwhile');
  });

  it('leaves a death that somebody is telling already to them', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user, 'hooli');
    const teller = await stack.core.client.workflow.start('invalidate', {
      taskQueue: 'nobody-polls-this',
      workflowId: `invalidate/${credentialId}/1`,
      args: [{ credentialId, provider: 'sandbox', epoch: 1, code: 'credential_refused', httpStatus: 401 }],
    });
    await control('/accounts/hooli/revoke');
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    await teller.terminate('by the test');
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-told-by-another');
  });

  it('does not heal what a reconnect has healed meanwhile', async () => {
    const user = stack.user();
    const { credentialId } = await connect(user, 'acme');
    await control('/faults', { endpoint: 'identity', status: 401, count: 4 });
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    const { store } = stack.core;
    const markValid = store.markCredentialValid.bind(store);
    const spy = jest.spyOn(store, 'markCredentialValid').mockImplementationOnce(async (...call) => {
      await connect(user, 'acme');
      return markValid(...call);
    });
    expect(await test(user, credentialId)).toEqual({ outcome: 'ok' });
    spy.mockRestore();
    expect(await store.getCredential(credentialId)).toMatchObject({ authIsValid: true, generation: 2, epoch: 3 });
    await recordHistory(stack.core.client, `test/${credentialId}/1`, 'test-credential-heal-overtaken');
  });
});

describe('invalidate', () => {
  it('is a no-op when a reconnect has overtaken it', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user);
    const integrationId = await integrate(user, entityId);
    await connect(user);
    const credential = await stack.core.store.getCredential(credentialId);
    if (credential === null) throw new Error('the credential is gone');
    const result = (await stack.core.workflows.runInvalidate(
      {
        credentialId,
        provider: credential.provider,
        epoch: credential.epoch - 1,
        code: 'credential_refused',
        httpStatus: 401,
      },
      'late',
      10_000,
    )) as InvalidateResult;
    expect(result).toEqual({ outcome: 'overtaken', errors: 0 });
    expect((await user.get(`/api/integrations/${integrationId}`)).body).toMatchObject({
      status: 'ENABLED',
      causes: [],
    });
    await recordHistory(
      stack.core.client,
      `invalidate/${credentialId}/${credential.epoch - 1}/late`,
      'invalidate-overtaken',
    );
  });

  it('puts an integration created on a dead credential into ERROR at once', async () => {
    const user = stack.user();
    const { credentialId, entityId } = await connect(user, 'hooli');
    await control('/accounts/hooli/revoke');
    expect(await test(user, credentialId)).toEqual({ outcome: 'refused' });
    const integrationId = await integrate(user, entityId);
    const { body } = await user.get(`/api/integrations/${integrationId}`);
    expect(body.status).toBe('ERROR');
    expect(body.causes).toHaveLength(1);
    await connect(user, 'hooli');
    expect((await user.get(`/api/integrations/${integrationId}`)).body).toMatchObject({
      status: 'ENABLED',
      causes: [],
    });
  });
});

import { grantOf } from '../contract/fixtures.js';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/create-activities.js';
import type { ApiClient } from '../../src/cli/api-client.js';
import type { Activities } from '../../src/contracts/activities.js';
import type { CredentialVerdict } from '../../src/store/port/store.js';
import { newId } from '../../src/ids.js';
import { parseKeyRing } from '../../src/vault/parse-key-ring.js';
import { Secret } from '../../src/vault/secret.js';
import { createVault } from '../../src/vault/vault.js';
import { idOf } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';
import { withoutTable } from '../support/rename-table.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

/** Steps that come late, are lost, or overtake each other: what the reconnect promised holds all the same. */
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_CONNECT_WITHIN: '2', RELINK_CALLBACK_DEADLINE: '8' });
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

/** Failures are what some tests are about; their retries would fill the output. */
const logger = new DefaultLogger('ERROR', () => undefined);

const control = (path: string, body?: unknown) =>
  callControl(stack.sandbox, 'POST', path, body === undefined ? {} : { body });

/** One activity, run apart from any workflow. */
const run = <Name extends keyof Activities>(name: Name, ...input: Parameters<Activities[Name]>) =>
  runAttempt(1, name, ...input);

const runAttempt = <Name extends keyof Activities>(
  attempt: number,
  name: Name,
  ...input: Parameters<Activities[Name]>
) =>
  new MockActivityEnvironment({ attempt }, { logger }).run(
    createActivities({ ...stack.core, ...stack.hosts, settings: stack.core.config })[name] as (
      ...input: Parameters<Activities[Name]>
    ) => ReturnType<Activities[Name]>,
    ...input,
  );

const connect = async (user: ApiClient) => {
  const { attempt, body } = await user.connect('acme');
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  const credentialId = idOf('credential', body.credential_id);
  const entityId = idOf('entity', body.entity_id);
  const created = await user.post('/api/integrations', { type: 'contact-sync', entities: [entityId] });
  return { credentialId, entityId, integrationId: idOf('integration', created.body.id) };
};

const kill = async (user: ApiClient, credentialId: string) => {
  await control('/accounts/acme/revoke');
  await user.post(`/api/credentials/${credentialId}/test`);
  await user.until(`/api/credentials/${credentialId}`, body => body.last_test?.outcome === 'refused');
};

const verdict = (): CredentialVerdict => ({ code: 'credential_refused', httpStatus: 401, since: new Date() });
const laterGrant = grantOf(1e9, { sealedTokens: 'unread' });
const statusOf = async (user: ApiClient, id: string) => (await user.get(`/api/integrations/${id}`)).body.status;

it('a passed test does not take a reconnect for its own write', async () => {
  const user = stack.user();
  const { credentialId, entityId, integrationId } = await connect(user);
  const { store } = stack.core;
  await store.markCredentialInvalid(credentialId, 1, verdict(), new Date());
  await run('addCauses', { credentialId, causeEpoch: 2 });
  await user.patch(`/api/integrations/${integrationId}`, { status: 'DISABLED' });
  await store.replaceGrant(credentialId, 2, laterGrant, new Date());
  expect(await run('markCredentialValid', { credentialId, epoch: 2, generation: 1 })).toEqual({ epoch: null });
  await run('restoreIntegrationStatuses', { sessionId: null, credentialId, entityId, epoch: 3, optIn: true });
  expect(await statusOf(user, integrationId)).toBe('ENABLED');
});

it('a pause set after the reconnect outlives its late restore', async () => {
  const user = stack.user();
  const { credentialId, entityId, integrationId } = await connect(user);
  await stack.core.store.replaceGrant(credentialId, 1, laterGrant, new Date());
  await user.patch(`/api/integrations/${integrationId}`, { status: 'DISABLED' });
  await run('restoreIntegrationStatuses', { sessionId: null, credentialId, entityId, epoch: 2, optIn: true });
  expect(await statusOf(user, integrationId)).toBe('DISABLED');
});

it('a restore tells of a death that came before its rows could be reached', async () => {
  const user = stack.user();
  const { credentialId, entityId, integrationId } = await connect(user);
  await stack.core.store.markCredentialInvalid(credentialId, 1, verdict(), new Date());
  const restore = { sessionId: null, credentialId, entityId, epoch: 1, optIn: true };
  expect(await run('restoreIntegrationStatuses', restore)).toMatchObject({ death: { epoch: 2, httpStatus: 401 } });
  expect(await statusOf(user, integrationId)).toBe('ENABLED');
});

it('a reconnect tells of such a death itself', async () => {
  const user = stack.user();
  const { credentialId, integrationId } = await connect(user);
  const { store } = stack.core;
  const complete = store.completeSession.bind(store);
  const spy = jest.spyOn(store, 'completeSession').mockImplementationOnce(async (...call) => {
    await store.markCredentialInvalid(credentialId, 2, verdict(), new Date());
    return complete(...call);
  });
  const { attempt } = await user.connect('acme');
  await stack.core.client.workflow.getHandle(`reauth/${attempt}`).result();
  spy.mockRestore();
  expect(await statusOf(user, integrationId)).toBe('ERROR');
  await recordHistory(stack.core.client, `reauth/${attempt}`, 'reauth-tells-death');
});

it('an attempt that timed out while the provider was asked changes nothing afterwards', async () => {
  const user = stack.user();
  const { credentialId, integrationId } = await connect(user);
  await kill(user, credentialId);
  const before = await stack.core.store.getCredential(credentialId);
  await control('/faults', { endpoint: 'identity', delayMs: 3_500 });
  const again = await user.connect('acme');
  expect(again.body.error?.code).toBe('connect_timed_out');
  await sleep(4_000);
  expect(await stack.core.store.getCredential(credentialId)).toEqual(before);
  expect(await statusOf(user, integrationId)).toBe('ERROR');
}, 30_000);

it('an attempt whose account is proven goes forward, however long the database is away', async () => {
  const user = stack.user();
  const { credentialId, integrationId } = await connect(user);
  await kill(user, credentialId);
  const consent = await user.consent('acme');
  const delivered = withoutTable(stack.databaseUrl, 'credentials', async () => {
    const answer = consent.deliver();
    await sleep(4_000);
    return answer;
  });
  await delivered;
  await user.until(`/api/authorize/${consent.attempt}`, session => session.status === 'restored', 30_000);
  expect(await statusOf(user, integrationId)).toBe('ENABLED');
  await stack.core.client.workflow.getHandle(`reauth/${consent.attempt}`).result();
  await recordHistory(stack.core.client, `reauth/${consent.attempt}`, 'reauth-goes-forward');
}, 60_000);

it('a death whose telling was lost is told by the next test', async () => {
  const user = stack.user();
  const { credentialId, integrationId } = await connect(user);
  await control('/accounts/acme/revoke');
  await withoutTable(stack.databaseUrl, 'integration_entities', async () => {
    await user.post(`/api/credentials/${credentialId}/test`);
    await user.until(`/api/credentials/${credentialId}`, body => body.auth_is_valid === false);
    await stack.core.client.workflow.getHandle(`invalidate/${credentialId}/1`).terminate('by the test');
    await stack.core.client.workflow.getHandle(`test/${credentialId}/1`).terminate('by the test');
  });
  expect(await statusOf(user, integrationId)).toBe('ENABLED');
  await kill(user, credentialId);
  expect(await statusOf(user, integrationId)).toBe('ERROR');
}, 30_000);

describe('a death that was committed by an attempt which never heard of it', () => {
  const commit = async () => {
    const { credentialId, entityId } = await connect(stack.user());
    await stack.core.store.markCredentialInvalid(credentialId, 1, verdict(), new Date());
    const linesOf = () =>
      stack.logLines
        .filter(line => line.includes(credentialId) && line.includes('is dead'))
        .map(line => JSON.parse(line) as unknown);
    return { credentialId, entityId, linesOf };
  };
  const refused = { epoch: 1, code: 'credential_refused', httpStatus: 401 } as const;

  it('is told by the next one, in full', async () => {
    const { credentialId, entityId, linesOf } = await commit();
    expect(await runAttempt(2, 'markCredentialInvalid', { credentialId, ...refused })).toEqual({ causeEpoch: 2 });
    expect(linesOf()).toMatchObject([
      { level: 'error', credentialId, entityIds: [entityId], code: 'credential_refused', httpStatus: 401, epoch: 2 },
    ]);
  });

  it.each([
    ['by a first attempt', 1, refused],
    ['where it is of another kind', 2, { ...refused, code: 'refresh_refused' }],
    ['where it was known before', 2, { ...refused, epoch: 2 }],
  ] as const)('is not told %s', async (_when, attempt, input) => {
    const { credentialId, linesOf } = await commit();
    expect(await runAttempt(attempt, 'markCredentialInvalid', { credentialId, ...input })).toEqual({ causeEpoch: 2 });
    expect(linesOf()).toEqual([]);
  });
});

it('a worker that lacks the key lets the attempt wait for it, with its grant', async () => {
  const user = stack.user();
  const consent = await user.consent('acme');
  const runReauth = jest.spyOn(stack.core.workflows, 'runReauth').mockResolvedValue({ kind: 'pending' });
  await consent.deliver();
  runReauth.mockRestore();
  const sessionId = idOf('session', consent.attempt);
  const vault = createVault(parseKeyRing(new Secret(`other:${randomBytes(32).toString('base64')}`)));
  const { persistCredential } = createActivities({ ...stack.core, ...stack.hosts, vault, settings: stack.core.config });
  await expect(new MockActivityEnvironment({}, { logger }).run(persistCredential, { sessionId })).rejects.toMatchObject(
    {
      code: 'secret_unreadable',
      retryable: true,
    },
  );
  expect(await stack.core.store.getSession(sessionId)).toMatchObject({ state: 'exchanged' });
});

it('a credential that its user deletes before its entity is written ends the attempt', async () => {
  const user = stack.user();
  const { store } = stack.core;
  const upsert = store.upsertEntity.bind(store);
  const spy = jest.spyOn(store, 'upsertEntity').mockImplementationOnce(async (write, now) => {
    expect((await user.request('DELETE', `/api/credentials/${write.credentialId}`)).status).toBe(204);
    await user.until(`/api/credentials/${write.credentialId}`, body => body.error?.code === 'not_found');
    return upsert(write, now);
  });
  const { attempt, status, body } = await user.connect('acme');
  spy.mockRestore();
  expect({ status, code: body.error?.code }).toEqual({ status: 409, code: 'credential_removed' });
  expect((await user.get(`/api/authorize/${attempt}`)).body).toMatchObject({
    status: 'failed',
    error: { code: 'credential_removed' },
  });
  expect((await user.get('/api/credentials')).body.data).toEqual([]);
  expect((await user.get('/api/entities')).body.data).toEqual([]);
  await expect(stack.core.client.workflow.getHandle(`reauth/${attempt}`).result()).rejects.toMatchObject({
    cause: { type: 'credential_removed' },
  });
  // A repeat of the step, as after an answer that was lost, ends the same way.
  await expect(
    run('upsertEntity', { sessionId: idOf('session', attempt), credentialId: newId('credential') }),
  ).rejects.toMatchObject({ code: 'credential_removed' });
  await recordHistory(stack.core.client, `reauth/${attempt}`, 'reauth-credential-removed');
});

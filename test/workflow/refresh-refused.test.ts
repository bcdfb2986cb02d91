import { newId } from '../../src/ids.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import { grantOf } from '../contract/fixtures.js';
import { idOf } from '../support/ids.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const {
  connect,
  control,
  countPosts,
  errorLinesOf,
  forgotten,
  integrate,
  mend,
  outcomeOf,
  read,
  record,
  refresh,
  resultOf,
  spoil,
} = createRefreshScene(() => stack);

beforeAll(async () => {
  // A run gives up at its first wait that ends more than a second after it began.
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

describe('a refresh that is refused', () => {
  it('tells the death once, under its own cause, and is not tried again', async () => {
    const user = stack.user();
    const credential = await connect(user);
    const integrationId = await integrate(user);
    await control('/accounts/globex/revoke');
    const { posts, result } = await countPosts(() =>
      Promise.all(Array.from({ length: 10 }, () => refresh(credential))),
    );
    expect(posts).toBe(1);
    expect(result).toEqual(Array.from({ length: 10 }, () => ({ kind: 'dead' })));
    expect(await outcomeOf(integrationId, user)).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_refused', http_status: 400 }],
    });
    const again = await countPosts(() => refresh(credential));
    expect(again).toEqual({ posts: 0, result: { kind: 'dead' } });
    expect(errorLinesOf(credential)).toHaveLength(1);
    await record(credential, 'refresh-refused');
    await stack.core.workflows.startRefresh({ ...credential, credentialId: credential.id, refreshTry: 1 });
    expect(await resultOf(credential, 1, 1)).toEqual({ outcome: 'dead' });
    await record(credential, 'refresh-dead', 1, 1);
  });

  it('leaves the telling to whoever is at it', async () => {
    const credential = await connect(stack.user());
    const teller = await stack.core.client.workflow.start('invalidate', {
      taskQueue: 'nobody-polls-this',
      workflowId: `invalidate/${credential.id}/1`,
      args: [{ credentialId: credential.id, provider: 'sandbox', epoch: 1, code: 'refresh_refused', httpStatus: 400 }],
    });
    await control('/accounts/globex/revoke');
    expect(await refresh(credential)).toEqual({ kind: 'dead' });
    await teller.terminate('by the test');
    await record(credential, 'refresh-told-by-another');
  });

  it('is no news when a reconnect came first', async () => {
    const user = stack.user();
    const credential = await connect(user);
    const integrationId = await integrate(user);
    await control('/accounts/globex/revoke');
    const { store } = stack.core;
    const markInvalid = store.markCredentialInvalid.bind(store);
    const spy = jest.spyOn(store, 'markCredentialInvalid').mockImplementationOnce(async (...call) => {
      await connect(user);
      return markInvalid(...call);
    });
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    spy.mockRestore();
    expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'ENABLED', causes: [] });
    await record(credential, 'refresh-refusal-overtaken');
  });
});

describe("the operator's fault", () => {
  it('is its own cause, asks nobody to reconnect, and heals with the refresh that passes', async () => {
    const user = stack.user();
    const credential = await connect(user);
    const integrationId = await integrate(user);
    await spoil({ status: 401, body: { error: 'invalid_client' }, count: 2 });
    expect(await refresh(credential)).toEqual({ kind: 'operator_fault' });
    await resultOf(credential);
    const broken = await outcomeOf(integrationId, user);
    expect(broken).toMatchObject({ status: 'ERROR', causes: [{ code: 'client_rejected', http_status: 401 }] });
    expect(JSON.stringify(broken.causes)).toContain('reconnecting does not help');
    await record(credential, 'refresh-operator-fault');

    // Still broken: told already, and no second cause.
    const dead = await read(credential.id);
    expect(dead.refreshDueAt?.getTime()).toBeGreaterThan(Date.now());
    await forgotten();
    expect(await refresh(dead, { atOnce: true })).toEqual({ kind: 'operator_fault' });
    await resultOf(credential, 1, 1);
    expect((await outcomeOf(integrationId, user)).causes).toEqual(broken.causes);
    await record(credential, 'refresh-operator-fault-again', 1, 1);

    await forgotten();
    expect(await refresh(await read(credential.id), { atOnce: true })).toEqual({ kind: 'refreshed', generation: 2 });
    await resultOf(credential, 1, 2);
    expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'ENABLED', causes: [] });
    await record(credential, 'refresh-heals', 1, 2);
  });

  it('that our keys do not open the tokens is no word about the credential', async () => {
    const credential = await connect(stack.user());
    const { store, vault, now } = stack.core;
    const sealedTokens = vault.seal(new Secret('{}'), credentialTokensBinding(newId('credential')));
    const grant = grantOf(1_000_000, { sealedTokens, refreshable: true });
    await store.replaceGrant(credential.id, credential.epoch, grant, now());
    const { posts, result } = await countPosts(async () => refresh(await read(credential.id)));
    expect({ posts, result }).toEqual({ posts: 0, result: { kind: 'operator_fault' } });
    await resultOf(credential, 2);
    expect(await read(credential.id)).toMatchObject({ authIsValid: true, refreshTry: 1 });
    await record(credential, 'refresh-unreadable', 2);
  });
});

it('of one credential under two entities and two integrations reaches both, in death and recovery', async () => {
  const user = stack.user();
  const credential = await connect(user);
  const first = await integrate(user);
  const known = await stack.core.store.getEntity(idOf('entity', (await user.get('/api/entities')).body.data?.[0]?.id));
  if (known === null) throw new Error('the entity is gone');
  const { userId, provider, grantSequence } = known;
  await stack.core.store.upsertEntity(
    {
      ...{ id: newId('entity'), userId, provider, grantSequence, credentialId: credential.id, name: 'Second' },
      externalId: 'acct_second' as typeof known.externalId,
    },
    new Date(),
  );
  const second = await integrate(user);
  expect(second).not.toBe(first);
  await spoil({ status: 401, body: { error: 'invalid_client' } });
  expect(await refresh(credential)).toEqual({ kind: 'operator_fault' });
  await resultOf(credential);
  for (const id of [first, second]) expect(await outcomeOf(id, user)).toMatchObject({ status: 'ERROR' });
  await forgotten();
  expect(await refresh(await read(credential.id), { atOnce: true })).toMatchObject({ kind: 'refreshed' });
  await resultOf(credential, 1, 1);
  for (const id of [first, second]) expect(await outcomeOf(id, user)).toMatchObject({ status: 'ENABLED', causes: [] });
});

import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities/create-activities.js';
import { createProviderBreakers } from '../../src/credentials/provider-breakers.js';
import type { Provider } from '../../src/providers/configure-provider.js';
import { serialiseTokenSet } from '../../src/providers/token-set-codec.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import { grantOf } from '../contract/fixtures.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';
import { replyJson, startWireProvider } from '../support/wire-provider.js';
import { wireUp } from '../support/wire-settings.js';

/** What is told of refreshes that do not get through, and what is not. */
let stack: TestStack;
const { connect, refresh, spoil, mend, resultOf, forgotten, read, countPosts } = createRefreshScene(() => stack);

beforeAll(async () => {
  // A run gives up at its first wait that ends more than a second after it began.
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

const warningsOf = (id: string) =>
  stack.logLines.filter(line => line.includes('"level":"warn"') && line.includes(`"credentialId":"${id}"`));

describe('a run that gives up', () => {
  it('over answers that nobody understands is told by one warning, and shows at the credential', async () => {
    const user = stack.user();
    const credential = await connect(user);
    await spoil({ status: 400, body: { error: 'invalid_request' }, count: 10 });
    expect(await refresh(credential)).toMatchObject({ kind: 'pending' });
    await resultOf(credential);
    expect(warningsOf(credential.id)).toEqual([expect.stringContaining('invalid_request (HTTP 400)')]);
    const { body } = await user.get(`/api/credentials/${credential.id}`);
    const { refreshDueAt } = await read(credential.id);
    expect(body).toMatchObject({
      auth_is_valid: true,
      open_refresh: { given_up: 1, unanswered_since: null, next_at: refreshDueAt?.toISOString() },
    });

    await mend();
    await forgotten();
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    expect((await user.get(`/api/credentials/${credential.id}`)).body).toMatchObject({ open_refresh: null });
  });

  it('over an outage is no warning of this credential', async () => {
    const user = stack.user();
    const credential = await connect(user);
    await spoil({ status: 503, count: 10 });
    await refresh(credential);
    await resultOf(credential);
    expect(warningsOf(credential.id)).toEqual([]);
    expect((await user.get(`/api/credentials/${credential.id}`)).body).toMatchObject({
      open_refresh: { given_up: 1, unanswered_since: expect.any(String) as string },
    });
  });
});

/** The activities of a worker whose breakers have a clock of their own, for this provider. */
function watchOutages(provider: Provider) {
  let time = 0;
  const breakers = createProviderBreakers(stack.core.log, () => time);
  const activities = createActivities({
    ...{ ...stack.core, ...stack.hosts, settings: stack.core.config, breakers },
    providers: { get: () => provider, list: () => [provider] },
  });
  return { breakers, activities, pass: (milliseconds: number) => void (time += milliseconds) };
}

it('a host that is not allowed gets nothing, and is neither an outage nor the end of one', async () => {
  const wire = await startWireProvider();
  const zoho = wireUp('zoho', wire);
  const credential = await connect(stack.user());
  const { store, vault, now } = stack.core;
  const { breakers, activities, pass } = watchOutages(zoho);
  const post = () =>
    new MockActivityEnvironment().run(activities.postRefresh, {
      ...{ credentialId: credential.id, generation: 2, openPost: null },
    });
  const tokens = {
    ...{ accessToken: new Secret('at'), refreshToken: new Secret('rt'), expiresAt: null },
    extras: { 'accounts-server': 'https://accounts.zoho.evil.example' },
  };
  const sealedTokens = vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(credential.id));
  await store.replaceGrant(credential.id, 1, grantOf(1_000_000, { sealedTokens, refreshable: true }), now());

  const unsent = { kind: 'transient', reason: 'host_not_allowed', httpStatus: null, openPost: null };
  const { posts } = await countPosts(async () => {
    for (let call = 0; call < 6; call += 1) expect(await post()).toMatchObject(unsent);
  });
  expect([posts, wire.connections]).toEqual([0, 0]);
  expect(breakers.isOpen(credential.provider)).toBe(false);
  expect(await read(credential.id)).toMatchObject({ refreshPosts: 0, refreshPostedAt: null });

  for (let failure = 0; failure < 5; failure += 1) {
    breakers.noteFailure(credential.provider, credential.id, 'timeout', false);
  }
  pass(10_000);
  expect(await post()).toMatchObject(unsent);
  expect(breakers.isOpen(credential.provider)).toBe(true);
  // Its turn is left to one that is sent.
  expect(breakers.admit(credential.provider, credential.id)).toEqual({ waitMs: null, isProbe: true });
  await wire.close();
});

it('an endpoint that answers 503 is an outage of its provider for all its credentials, and its next answer ends that', async () => {
  const wire = await startWireProvider(replyJson(503, {}));
  const zoho = wireUp('zoho', wire);
  const { store, vault, now } = stack.core;
  const { breakers, activities, pass } = watchOutages(zoho);
  const makeReady = async () => {
    const { id, provider } = await connect(stack.user());
    const tokens = { accessToken: new Secret('at'), refreshToken: new Secret('rt'), expiresAt: null, extras: {} };
    const sealedTokens = vault.seal(serialiseTokenSet(tokens), credentialTokensBinding(id));
    await store.replaceGrant(id, 1, grantOf(1_000_000, { sealedTokens, refreshable: true }), now());
    const post = () =>
      new MockActivityEnvironment().run(activities.postRefresh, { credentialId: id, generation: 2, openPost: null });
    return { provider, post };
  };
  const credentials = [];
  for (let each = 0; each < 6; each += 1) credentials.push(await makeReady());
  for (const { post } of credentials.slice(0, 5)) await post();
  const [first, last] = [credentials[0]!, credentials[5]!];
  expect(breakers.isOpen(first.provider)).toBe(true);
  expect(await last.post()).toMatchObject({ kind: 'transient', reason: 'outage' });
  expect(wire.requests).toHaveLength(5);

  pass(10_000);
  wire.reply = replyJson(400, { error: 'invalid_grant' });
  expect(await last.post()).toMatchObject({ kind: 'definitive' });
  expect(breakers.isOpen(first.provider)).toBe(false);
  await wire.close();
});

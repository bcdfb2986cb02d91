import { composeCore } from '../../src/compose.js';
import { openTokens } from '../../src/credentials/open-tokens.js';
import { createLog } from '../../src/log.js';
import { loadTemporalSettings } from '../../src/temporal/connect-client.js';
import { createTestDatabase, type TestDatabase } from '../support/create-test-database.js';
import { type CuttableProxy, startCuttableProxy } from '../support/cuttable-proxy.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
let database: TestDatabase;
let wire: CuttableProxy;
const { connect, countPosts, integrate, mend, outcomeOf, read, refresh, resultOf, spoil } = createRefreshScene(
  () => stack,
);

beforeAll(async () => {
  database = await createTestDatabase();
  wire = await startCuttableProxy(database.url);
  stack = await startTestStack({ DATABASE_URL: wire.url, RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '20' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(async () => {
  await stack.stop();
  await wire.close();
  await database.drop();
});

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

it('an answer that comes after our timeout, and had rotated the token, ends under the cause that accuses nobody', async () => {
  const credential = await connect(stack.user(), 'initech');
  await spoil({ kind: 'late', delayMs: 2_000 });
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'dead' } });
  expect((await read(credential.id)).verdict?.code).toBe('refresh_outcome_unknown');
});

describe('a database that is away', () => {
  it('before the request has nothing asked of the provider until it is back', async () => {
    const credential = await connect(stack.user(), 'initech');
    await wire.cut();
    const { posts } = await countPosts(async () => {
      await stack.core.workflows.startRefresh({ ...credential, credentialId: credential.id });
      await pause(2_000);
    });
    expect(posts).toBe(0);
    await wire.mend();
    expect((await countPosts(() => resultOf(credential))).result).toEqual({ outcome: 'refreshed', generation: 2 });
  }, 30_000);

  it('between the answer and its write loses no rotated token', async () => {
    const credential = await connect(stack.user(), 'initech');
    await spoil({ kind: 'late', delayMs: 700 });
    const { posts, result } = await countPosts(async () => {
      await stack.core.workflows.startRefresh({ ...credential, credentialId: credential.id });
      while ((await read(credential.id)).refreshPostedAt === null) await pause(20);
      await wire.cut();
      await pause(3_000);
      await wire.mend();
      return resultOf(credential);
    });
    expect({ posts, result }).toEqual({ posts: 1, result: { outcome: 'refreshed', generation: 2 } });
    // What was written is what the provider gave out last: anything else would end the grant.
    expect(await refresh(await read(credential.id))).toEqual({ kind: 'refreshed', generation: 3 });
  }, 30_000);
});

it('tokens of 8 kB are stored whole', async () => {
  const credential = await connect(stack.user());
  const long = 't'.repeat(8_192);
  await spoil({ alter: { access_token: `a${long}`, refresh_token: `r${long}` } });
  expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
  const { accessToken, refreshToken } = openTokens(stack.core.vault, await read(credential.id));
  expect([accessToken.reveal(), refreshToken?.reveal()]).toEqual([`a${long}`, `r${long}`]);
});

it('Temporal away means pending for callers, and nothing is asked of the provider', async () => {
  const credential = await connect(stack.user());
  const address = process.env['RELINK_TEST_TEMPORAL_ADDRESS'] ?? '';
  const temporal = await startCuttableProxy(`http://${address}`);
  const settings = loadTemporalSettings({ TEMPORAL_ADDRESS: new URL(temporal.url).host });
  const other = await composeCore(stack.core.config, settings, createLog('silent', 'test'));
  await temporal.cut();
  const { posts, result } = await countPosts(() => other.refresher.refresh(credential, { deadlineMs: 1_500 }));
  expect({ posts, result }).toEqual({ posts: 0, result: { kind: 'pending', retryAfterMs: 2_000 } });
  // The call itself ends as an answer too, for whoever waits longer than it does.
  const { id: credentialId, provider, generation, refreshTry } = credential;
  expect(await other.workflows.runRefresh({ credentialId, provider, generation, refreshTry }, 1_000)).toEqual({
    outcome: 'timed_out',
  });
  await temporal.mend();
  await pause(1_100);
  expect(await other.refresher.refresh(credential, { deadlineMs: 20_000 })).toEqual({
    kind: 'refreshed',
    generation: 2,
  });
  await other.close();
  await temporal.close();
}, 40_000);

it('a refresh that passes while the integration is DISABLED clears its causes and leaves it DISABLED', async () => {
  const user = stack.user();
  const credential = await connect(user);
  const integrationId = await integrate(user);
  await spoil({ status: 401, body: { error: 'invalid_client' } });
  expect(await refresh(credential)).toEqual({ kind: 'operator_fault' });
  await resultOf(credential);
  await user.patch(`/api/integrations/${integrationId}`, { status: 'DISABLED' });
  expect(await outcomeOf(integrationId, user)).toMatchObject({ causes: [{ code: 'client_rejected' }] });
  expect(await refresh(await read(credential.id), { atOnce: true })).toEqual({ kind: 'refreshed', generation: 2 });
  await user.until(`/api/integrations/${integrationId}`, integration => integration.causes?.length === 0);
  expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'DISABLED', causes: [] });
});

import { composeCore } from '../../src/compose.js';
import { newId } from '../../src/ids.js';
import { createLog } from '../../src/log.js';
import { loadTemporalSettings } from '../../src/temporal/connect-client.js';
import { sandboxProvider } from '../support/ids.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, countPosts, forgotten, mend, read, record, refresh, resultOf, spoil } = createRefreshScene(
  () => stack,
);

beforeAll(async () => {
  // A run gives up at its first wait that ends more than a second after it began.
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

describe('refreshing', () => {
  it('makes one POST for all callers of all processes, and stores the next generation', async () => {
    const credential = await connect(stack.user(), 'initech');
    const other = await composeCore(
      stack.core.config,
      loadTemporalSettings({ TEMPORAL_ADDRESS: process.env['RELINK_TEST_TEMPORAL_ADDRESS'] }),
      createLog('silent', 'test'),
    );
    const { posts, result } = await countPosts(() =>
      Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (index % 2 === 0 ? stack.core : other).refresher.refresh(credential, { deadlineMs: 20_000 }),
        ),
      ),
    );
    await other.close();
    expect(new Set(result.map(outcome => JSON.stringify(outcome)))).toEqual(
      new Set([JSON.stringify({ kind: 'refreshed', generation: 2 })]),
    );
    expect(posts).toBe(1);
    expect(await read(credential.id)).toMatchObject({ generation: 2, epoch: 2, authIsValid: true, refreshPosts: 0 });
    await record(credential, 'refresh-refreshed');
  });

  it('of a generation that has been replaced asks nobody', async () => {
    const credential = await connect(stack.user());
    await refresh(credential);
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 0, result: { kind: 'refreshed', generation: 2 } });
  });

  it('goes on generation after generation, also where each token is good for one use', async () => {
    const { id } = await connect(stack.user(), 'initech');
    for (let generation = 2; generation <= 5; generation += 1) {
      expect(await refresh(await read(id))).toEqual({ kind: 'refreshed', generation });
    }
  });

  it('makes no POST where no refresh token is held, however often it is asked', async () => {
    const credential = await connect(stack.user(), 'acme');
    const { posts, result } = await countPosts(async () => {
      for (let call = 0; call < 20; call += 1) expect(await refresh(credential)).toEqual({ kind: 'not_refreshable' });
      await stack.core.workflows.startRefresh({ ...credential, credentialId: credential.id });
      return resultOf(credential);
    });
    expect({ posts, result }).toEqual({ posts: 0, result: { outcome: 'not_refreshable' } });
    await record(credential, 'refresh-not-refreshable');
  });

  it('of a credential that is gone says so', async () => {
    const id = newId('credential');
    const target = { id, provider: sandboxProvider, generation: 1, refreshTry: 0 };
    expect(await stack.core.refresher.refresh(target)).toEqual({ kind: 'gone' });
    await stack.core.workflows.startRefresh({ ...target, credentialId: id });
    expect(await stack.core.client.workflow.getHandle(`refresh/${id}/1/0`).result()).toEqual({ outcome: 'gone' });
    await record({ id }, 'refresh-gone');
  });
});

describe('a provider that does not answer as it should', () => {
  it('is asked again after a while, and no credential is hurt', async () => {
    const credential = await connect(stack.user());
    await spoil({ status: 403, body: '<html>Blocked</html>' });
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'refreshed', generation: 2 } });
    await record(credential, 'refresh-transient');
  });

  it('is given as long as its Retry-After asks for, and callers are told at once', async () => {
    const credential = await connect(stack.user());
    await spoil({ status: 429, retryAfter: 6 });
    const startedAt = Date.now();
    const outcome = await refresh(credential);
    expect(Date.now() - startedAt).toBeLessThan(4_000);
    expect(outcome).toMatchObject({ kind: 'pending' });
    if (outcome.kind === 'pending') expect(outcome.retryAfterMs).toBeGreaterThan(3_000);
    expect(await resultOf(credential)).toEqual({ outcome: 'refreshed', generation: 2 });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(5_900);
    await record(credential, 'refresh-rate-limited');
  }, 20_000);

  it.each(['hang', 'reset', 'garbage', 'empty', 'html', 'huge'])(
    'and whose answer is lost (%s) is asked again',
    async kind => {
      const credential = await connect(stack.user());
      await spoil({ kind });
      const { posts, result } = await countPosts(() => refresh(credential));
      expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'refreshed', generation: 2 } });
    },
  );

  it('for too long is left to the next run, which begins with the next try', async () => {
    const credential = await connect(stack.user());
    await spoil({ status: 403, count: 3 });
    expect(await refresh(credential)).toMatchObject({ kind: 'pending' });
    expect(await resultOf(credential)).toMatchObject({ outcome: 'pending' });
    await record(credential, 'refresh-gave-up');
    const after = await read(credential.id);
    expect(after).toMatchObject({ refreshTry: 1, generation: 1, authIsValid: true, refreshPostedAt: null });
    expect(after.refreshDueAt?.getTime()).toBeGreaterThan(Date.now());
    await mend();
    await forgotten();
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    expect(await resultOf(credential, 1, 1)).toMatchObject({ outcome: 'refreshed' });
  }, 20_000);
});

it('a run that was terminated lets the next caller begin another', async () => {
  const credential = await connect(stack.user());
  const handle = await stack.core.client.workflow.start('refresh', {
    taskQueue: 'nobody-polls-this',
    workflowId: `refresh/${credential.id}/1/0`,
    args: [],
  });
  await handle.terminate('by the test');
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
});

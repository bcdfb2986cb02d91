import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, countPosts, errorLinesOf, forgotten, mend, read, record, refresh, resultOf, spoil } =
  createRefreshScene(() => stack);

beforeAll(async () => {
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await mend();
});
afterAll(() => stack.stop());

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
/** What no store knows as its database being away. */
const unforeseen = () => new Error('could not extend file');

it('a gateway that gives up is waited out: the answer may still be on its way', async () => {
  const credential = await connect(stack.user(), 'initech');
  await spoil({ status: 504 });
  const startedAt = Date.now();
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'refreshed', generation: 2 } });
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2_900);
});

it('the time a provider asks for is kept by the run that gives up over it, too: nobody asks before', async () => {
  const credential = await connect(stack.user());
  await spoil({ status: 429, retryAfter: 2 });
  await spoil({ status: 429, retryAfter: 7 });
  expect(await refresh(credential)).toMatchObject({ kind: 'pending' });
  await forgotten();
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toMatchObject({ posts: 0, result: { kind: 'pending' } });
  expect(await resultOf(credential)).toMatchObject({ outcome: 'pending' });
  expect((await read(credential.id)).refreshTry).toBe(1);
  await record(credential, 'refresh-gave-up-after-its-wait');
  await forgotten();
  expect(await countPosts(() => refresh(credential))).toEqual({
    posts: 1,
    result: { kind: 'refreshed', generation: 2 },
  });
}, 30_000);

it('a rotated token is written again whatever the database fails with, and the operator is told once', async () => {
  const credential = await connect(stack.user(), 'initech');
  const { store } = stack.core;
  const write = store.compareAndSetTokens.bind(store);
  let failures = 0;
  jest.spyOn(store, 'compareAndSetTokens').mockImplementation((...call) => {
    failures += 1;
    return failures <= 4 ? Promise.reject(unforeseen()) : write(...call);
  });
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
  expect(errorLinesOf(credential)).toHaveLength(1);
  expect((await read(credential.id)).authIsValid).toBe(true);
});

it('an answer is kept while the note that it came cannot be written', async () => {
  const credential = await connect(stack.user());
  await spoil({ status: 400, body: { error: 'invalid_grant' } });
  const { store } = stack.core;
  const clear = store.clearRefreshPosted.bind(store);
  let failures = 0;
  jest.spyOn(store, 'clearRefreshPosted').mockImplementation((...call) => {
    failures += 1;
    return failures <= 3 ? Promise.reject(unforeseen()) : clear(...call);
  });
  const { posts, result } = await countPosts(() => refresh(credential));
  expect({ posts, result }).toEqual({ posts: 1, result: { kind: 'dead' } });
  expect((await read(credential.id)).verdict?.code).toBe('refresh_refused');
});

it('an attempt that stood still after its mark does not post when it wakes, over the tokens of its successor', async () => {
  const credential = await connect(stack.user(), 'initech');
  const { store, client } = stack.core;
  const mark = store.markRefreshPosted.bind(store);
  let woken: Promise<unknown> = Promise.resolve();
  jest.spyOn(store, 'markRefreshPosted').mockImplementationOnce(async (...call) => {
    const row = await mark(...call);
    woken = pause(6_000);
    await woken;
    return row;
  });
  const refreshing = countPosts(() => refresh(credential));
  await pause(700);
  // As when it was given up: another run begins, finds the mark, and makes the guarded retry.
  await client.workflow.getHandle(`refresh/${credential.id}/1/0`).terminate('by the test');
  expect(await refreshing).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
  await woken;
  await pause(500);
  expect(await refresh(await read(credential.id))).toEqual({ kind: 'refreshed', generation: 3 });
}, 40_000);

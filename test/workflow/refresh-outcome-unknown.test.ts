import { MockActivityEnvironment } from '@temporalio/testing';
import { Client } from 'pg';
import { storeRefreshed } from '../../src/activities/store-refreshed.js';
import { openTokens } from '../../src/credentials/open-tokens.js';
import { RelinkError } from '../../src/errors.js';
import { Secret } from '../../src/vault/secret.js';
import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, countPosts, forgotten, integrate, mend, outcomeOf, read, record, refresh, resultOf, spoil } =
  createRefreshScene(() => stack);

beforeAll(async () => {
  // A run gives up at its first wait that ends more than a second after it began.
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

describe('a refresh of which nobody knows how it ended', () => {
  it('is made up for by the guarded retry where the old token still counts', async () => {
    const credential = await connect(stack.user());
    await spoil({ kind: 'lost' });
    const startedAt = Date.now();
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'refreshed', generation: 2 } });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2_900);
    await record(credential, 'refresh-unknown-settled');
  });

  it('ends under a cause that accuses nobody where it does not', async () => {
    const user = stack.user();
    const credential = await connect(user, 'initech');
    const integrationId = await integrate(user);
    await spoil({ kind: 'lost' });
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 2, result: { kind: 'dead' } });
    expect(await outcomeOf(integrationId, user)).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_outcome_unknown', http_status: 400 }],
    });
    await record(credential, 'refresh-unknown-settled-refused');
  });

  it('is made up for by the answer where its worker was cut off from everything, and comes back with it', async () => {
    const user = stack.user();
    const credential = await connect(user, 'initech');
    const integrationId = await integrate(user);
    await spoil({ kind: 'lost' });
    expect(await refresh(credential)).toEqual({ kind: 'dead' });
    expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'ERROR' });
    const { core, hosts } = stack;
    const tokens = { ...openTokens(core.vault, credential), accessToken: new Secret('came-late') };
    const dependencies = { ...core, ...hosts, settings: core.config };
    await new MockActivityEnvironment().run(() => storeRefreshed(dependencies, credential, tokens, new Date()));
    const after = await read(credential.id);
    expect(after).toMatchObject({ authIsValid: true, verdict: null, generation: 2 });
    expect(openTokens(core.vault, after).accessToken.reveal()).toBe('came-late');
    expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'ENABLED', causes: [] });
    expect(stack.logLines.filter(line => line.includes(`${credential.id} works again`))).toHaveLength(1);
  });

  it('stays unknown over a retry that fails for another reason', async () => {
    const credential = await connect(stack.user(), 'initech');
    await spoil({ kind: 'lost' });
    await spoil({ status: 403 });
    // The first run gives up with its question open; the next one takes it over.
    expect(await refresh(credential)).toMatchObject({ kind: 'pending' });
    await resultOf(credential);
    expect(await read(credential.id)).toMatchObject({ refreshTry: 1, refreshPostedAt: expect.any(Date) as Date });
    await forgotten();
    expect(await refresh(credential)).toEqual({ kind: 'dead' });
    expect((await read(credential.id)).verdict?.code).toBe('refresh_outcome_unknown');
  }, 20_000);

  it('because its worker died waits until no answer can come any more', async () => {
    const credential = await connect(stack.user());
    await stack.core.store.markRefreshPosted(credential.id, 1, 0, new Date());
    const startedAt = Date.now();
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2_900);
    await record(credential, 'refresh-found-mark');
  });

  it('takes what the slow attempt stored after all', async () => {
    const credential = await connect(stack.user(), 'initech');
    const marked = await stack.core.store.markRefreshPosted(credential.id, 1, 0, new Date());
    const running = countPosts(() => refresh(credential));
    await new Promise(resolve => setTimeout(resolve, 1_000));
    const { sealedTokens, refreshable, expiresAt } = credential;
    await stack.core.store.compareAndSetTokens(
      credential.id,
      marked?.generation ?? 0,
      { sealedTokens, refreshable, expiresAt, refreshDueAt: null },
      new Date(),
    );
    expect(await running).toEqual({ posts: 0, result: { kind: 'refreshed', generation: 2 } });
  });
});

describe('the window between the answer and its write', () => {
  it('outlasts a database that is away', async () => {
    const credential = await connect(stack.user(), 'initech');
    const { store } = stack.core;
    const write = store.compareAndSetTokens.bind(store);
    let refusals = 0;
    const spy = jest.spyOn(store, 'compareAndSetTokens').mockImplementation(async (...call) => {
      refusals += 1;
      if (refusals <= 6) throw new RelinkError('database_unavailable');
      return write(...call);
    });
    const { posts, result } = await countPosts(() => refresh(credential));
    spy.mockRestore();
    expect({ posts, result }).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
    const waiting = stack.logLines.filter(line => line.includes(`token of ${credential.id} waits for the database`));
    expect(waiting).toHaveLength(1);
  });

  it('outlasts a write that was committed and not confirmed', async () => {
    const credential = await connect(stack.user(), 'initech');
    const { store } = stack.core;
    const write = store.compareAndSetTokens.bind(store);
    const spy = jest.spyOn(store, 'compareAndSetTokens').mockImplementationOnce(async (...call) => {
      await write(...call);
      throw new RelinkError('database_unavailable');
    });
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    spy.mockRestore();
    expect(await read(credential.id)).toMatchObject({ generation: 2, epoch: 2 });
  });

  it('yields to a reconnect in flight', async () => {
    const user = stack.user();
    const credential = await connect(user, 'globex');
    await spoil({ kind: 'late', delayMs: 700 });
    const running = refresh(credential);
    const reconnected = await connect(user, 'globex');
    const answered = await running;
    const after = await read(credential.id);
    // Whichever write came first: the reconnect's tokens stand.
    expect(reconnected.id).toBe(credential.id);
    expect(answered.kind).toBe('refreshed');
    expect(after).toMatchObject({ grantSequence: reconnected.grantSequence, sealedTokens: reconnected.sealedTokens });
    await record(credential, 'refresh-overtaken');
  });
});

it('of a credential that is deleted while its refresh is in flight ends as gone, and stores nothing', async () => {
  const credential = await connect(stack.user());
  await spoil({ kind: 'late', delayMs: 600 });
  const running = refresh(credential);
  await new Promise(resolve => setTimeout(resolve, 300));
  const client = new Client({ connectionString: stack.databaseUrl });
  await client.connect();
  await client.query('DELETE FROM entities WHERE credential_id = $1', [credential.id]);
  await client.query('DELETE FROM credentials WHERE id = $1', [credential.id]);
  await client.end();
  expect(await running).toEqual({ kind: 'gone' });
  expect(await stack.core.store.getCredential(credential.id)).toBeNull();
  await record(credential, 'refresh-deleted-meanwhile');
});

import { Client } from 'pg';
import { z } from 'zod';
import type { RefreshResult } from '../../src/contracts/workflows.js';
import { composeCore } from '../../src/compose.js';
import { createCredentialRefresher } from '../../src/credentials/create-credential-refresher.js';
import type { CredentialId } from '../../src/domain/ids.js';
import { RelinkError } from '../../src/errors.js';
import { newId } from '../../src/ids.js';
import { createLog } from '../../src/log.js';
import type { Credential } from '../../src/store/port/store.js';
import { loadTemporalSettings } from '../../src/temporal/connect-client.js';
import { credentialTokensBinding } from '../../src/vault/bindings.js';
import { Secret } from '../../src/vault/secret.js';
import type { ApiClient } from '../../src/cli/api-client.js';
import { grantOf } from '../contract/fixtures.js';
import { idOf, sandboxProvider } from '../support/ids.js';
import { recordHistory } from '../support/record-history.js';
import { callControl } from '../support/sandbox-client.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

/** Refresh tokens: Globex keeps its own, Initech rotates and ends a grant whose old token comes again, Acme has none. */
let stack: TestStack;

beforeAll(async () => {
  // A run gives up at its first wait that ends more than a second after it began.
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(() => callControl(stack.sandbox, 'DELETE', '/faults'));
afterAll(() => stack.stop());

const control = (path: string, body?: unknown) =>
  callControl(stack.sandbox, 'POST', path, body === undefined ? {} : { body });
const spoil = (fault: Record<string, unknown>) => control('/faults', { endpoint: 'refresh', count: 1, ...fault });

async function readPosts(): Promise<number> {
  const counters: unknown = await (await callControl(stack.sandbox, 'GET', '/counters')).json();
  const { by_grant_type } = z.object({ by_grant_type: z.record(z.string(), z.number()) }).parse(counters);
  return by_grant_type['refresh_token'] ?? 0;
}

/** Refreshes that arrived at the provider while `act` ran. */
async function countPosts<Result>(act: () => Promise<Result>): Promise<{ posts: number; result: Result }> {
  const before = await readPosts();
  const result = await act();
  return { posts: (await readPosts()) - before, result };
}

async function connect(user: ApiClient, account = 'globex'): Promise<Credential> {
  const { attempt, body } = await user.connect(account);
  await user.until(`/api/authorize/${attempt}`, session => session.status === 'restored');
  return read(idOf('credential', body.credential_id));
}

async function read(id: CredentialId): Promise<Credential> {
  const credential = await stack.core.store.getCredential(id);
  if (credential === null) throw new Error(`${id} is gone`);
  return credential;
}

async function integrate(user: ApiClient): Promise<string> {
  const entities = (await user.get('/api/entities')).body.data?.map(entity => entity.id);
  const { status, body } = await user.post('/api/integrations', { type: 'contact-sync', entities });
  expect(status).toBe(201);
  return idOf('integration', body.id);
}

/** A process answers callers that come late for the same 401 from what it heard a moment ago. */
const forgotten = () => new Promise(resolve => setTimeout(resolve, 1_100));
const refresh = (credential: Credential, deadlineMs = 20_000) =>
  stack.core.refresher.refresh(credential, { deadlineMs });
const refreshAtOnce = (credential: Credential) =>
  stack.core.refresher.refresh(credential, { deadlineMs: 20_000, atOnce: true });
const resultOf = ({ id }: Credential, generation = 1, refreshTry = 0) =>
  stack.core.client.workflow.getHandle(`refresh/${id}/${generation}/${refreshTry}`).result() as Promise<RefreshResult>;
const record = ({ id }: Pick<Credential, 'id'>, name: string, generation = 1, refreshTry = 0) =>
  recordHistory(stack.core.client, `refresh/${id}/${generation}/${refreshTry}`, name);
const outcomeOf = async (integrationId: string, user: ApiClient) =>
  (await user.get(`/api/integrations/${integrationId}`)).body;

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
    const errorLines = stack.logLines.filter(line => line.includes('"level":"error"') && line.includes(credential.id));
    expect(errorLines).toHaveLength(1);
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
    await callControl(stack.sandbox, 'DELETE', '/faults');
    await forgotten();
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    expect(await resultOf(credential, 1, 1)).toMatchObject({ outcome: 'refreshed' });
  }, 20_000);
});

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
    await record(credential, 'refresh-unknown-refused');
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
  expect(await refreshAtOnce(await read(credential.id))).toMatchObject({ kind: 'refreshed' });
  await resultOf(credential, 1, 1);
  for (const id of [first, second]) expect(await outcomeOf(id, user)).toMatchObject({ status: 'ENABLED', causes: [] });
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
    expect(await refreshAtOnce(dead)).toEqual({ kind: 'operator_fault' });
    await resultOf(credential, 1, 1);
    expect((await outcomeOf(integrationId, user)).causes).toEqual(broken.causes);
    await record(credential, 'refresh-operator-fault-again', 1, 1);

    await forgotten();
    expect(await refreshAtOnce(await read(credential.id))).toEqual({ kind: 'refreshed', generation: 2 });
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

describe('Temporal', () => {
  it('away means pending, and nothing is asked of the provider', async () => {
    const credential = await connect(stack.user());
    const { store } = stack.core;
    const refresher = createCredentialRefresher({
      store,
      workflows: { runRefresh: async () => ({ outcome: 'timed_out' }) },
    });
    const { posts, result } = await countPosts(() => refresher.refresh(credential));
    expect({ posts, result }).toEqual({ posts: 0, result: { kind: 'pending', retryAfterMs: 2_000 } });
  });

  it('whose run was terminated lets the next caller begin another', async () => {
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
});

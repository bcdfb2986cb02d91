import { createRefreshScene } from '../support/refresh-scene.js';
import { startTestStack, type TestStack } from '../support/start-test-stack.js';

let stack: TestStack;
const { connect, control, countPosts, errorLinesOf, forgotten, integrate, mend, outcomeOf, read, record, ...scene } =
  createRefreshScene(() => stack);
const { refresh, resultOf, spoil } = scene;

beforeAll(async () => {
  stack = await startTestStack({ RELINK_REFRESH_TIMEOUT: '1', RELINK_REFRESH_GIVE_UP: '1.5' });
  await stack.startWorker();
});
afterEach(mend);
afterAll(() => stack.stop());

const invalidClient = { status: 401, body: { error: 'invalid_client' } };

/** A credential whose refresh met `invalid_client`, with an integration that knows of it. */
async function rejectClient(account = 'globex') {
  const user = stack.user();
  const credential = await connect(user, account);
  const integrationId = await integrate(user);
  await spoil(invalidClient);
  expect(await refresh(credential)).toEqual({ kind: 'operator_fault' });
  await resultOf(credential);
  expect(await outcomeOf(integrationId, user)).toMatchObject({ causes: [{ code: 'client_rejected' }] });
  await forgotten();
  return { user, integrationId, credential: await read(credential.id) };
}

/** What the log says of a credential from level info on, without the lines of whoever asked. */
const linesOf = (id: string, said: string): unknown[] =>
  stack.logLines.filter(line => line.includes(id) && line.includes(said)).map(line => JSON.parse(line) as unknown);

describe('a credential whose client was rejected', () => {
  it('is one error line with the others of its provider, which names whose it is, and one line when it works again', async () => {
    const first = await rejectClient();
    const second = await rejectClient();
    expect(errorLinesOf(second.credential)).toEqual([]);
    const entities = (await first.user.get('/api/entities')).body.data?.map(entity => entity.id);
    expect(errorLinesOf(first.credential).map(line => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        ...{ credentialId: first.credential.id, userId: first.credential.userId, account: first.credential.externalId },
        ...{ provider: 'sandbox', kind: 'oauth2', code: 'client_rejected', httpStatus: 401 },
        ...{ entityIds: entities, providerError: 'invalid_client' },
        msg: expect.stringContaining(`POST /api/credentials/${first.credential.id}/test heals it at once`) as string,
      }),
    ]);
    expect(linesOf(second.credential.id, 'cannot be refreshed')).toMatchObject([{ level: 'info' }]);
    expect(linesOf(first.credential.id, 'integrations moved to ERROR')).toMatchObject([
      { msg: expect.stringMatching(/^Verdict on /) as string },
    ]);
    for (const { credential } of [first, second]) {
      await refresh(credential, { atOnce: true });
      expect(linesOf(credential.id, 'works again')).toMatchObject([
        { level: 'info', way: 'refresh', msg: `Credential ${credential.id} works again: its refresh passed.` },
      ]);
    }
    await forgotten();
    // Taken meanwhile: the next rejection is news.
    expect(errorLinesOf((await rejectClient()).credential)).toHaveLength(1);
  });

  it('is not told so when a reconnect came first', async () => {
    const user = stack.user();
    const credential = await connect(user);
    const integrationId = await integrate(user);
    await spoil(invalidClient);
    const { store } = stack.core;
    const markInvalid = store.markCredentialInvalid.bind(store);
    const spy = jest.spyOn(store, 'markCredentialInvalid').mockImplementationOnce(async (...call) => {
      await connect(user);
      return markInvalid(...call);
    });
    expect(await refresh(credential)).toEqual({ kind: 'refreshed', generation: 2 });
    spy.mockRestore();
    expect(await outcomeOf(integrationId, user)).toMatchObject({ status: 'ENABLED', causes: [] });
    await record(credential, 'refresh-operator-fault-overtaken');
  });

  it('is asked about again when the sweep is due, and not for every caller', async () => {
    const { credential } = await rejectClient();
    const { posts, result } = await countPosts(() => refresh(credential));
    expect({ posts, result }).toEqual({ posts: 0, result: { kind: 'operator_fault' } });
    const asked = await countPosts(() => refresh(credential, { atOnce: true }));
    expect(asked).toEqual({ posts: 1, result: { kind: 'refreshed', generation: 2 } });
  });

  it('dies when its grant turns out dead: told over the other cause, with a line, and never refreshed again', async () => {
    const { user, integrationId, credential } = await rejectClient();
    await control('/accounts/globex/revoke');
    expect(await refresh(credential, { atOnce: true })).toEqual({ kind: 'dead' });
    await resultOf(credential, 1, 1);
    expect(await read(credential.id)).toMatchObject({
      authIsValid: false,
      verdict: { code: 'refresh_refused', httpStatus: 400 },
      refreshDueAt: null,
      epoch: credential.epoch + 1,
    });
    expect(await outcomeOf(integrationId, user)).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_refused', http_status: 400 }],
    });
    expect(
      errorLinesOf(credential)
        .map(line => /\((\w+)\)/.exec(line)?.[1])
        .at(-1),
    ).toBe('refresh_refused');
    await forgotten();
    const again = await countPosts(() => refresh(credential, { atOnce: true }));
    expect(again).toEqual({ posts: 0, result: { kind: 'dead' } });
    await record(credential, 'refresh-operator-fault-then-dead', 1, 1);
    await connect(user);
    expect(linesOf(credential.id, 'works again')).toMatchObject([{ level: 'info', way: 'connected' }]);
  });

  it('dies under the cause that accuses nobody when an answer was lost', async () => {
    const { user, integrationId, credential } = await rejectClient('initech');
    await spoil({ kind: 'lost' });
    expect(await refresh(credential, { atOnce: true })).toEqual({ kind: 'dead' });
    expect(linesOf(credential.id, 'a guarded retry decides')).toMatchObject([{ level: 'info' }]);
    expect(await outcomeOf(integrationId, user)).toMatchObject({
      status: 'ERROR',
      causes: [{ code: 'refresh_outcome_unknown' }],
    });
  });

  it('keeps its refresh token over a reconnect that brings none', async () => {
    const { user, credential } = await rejectClient();
    await control('/faults', { endpoint: 'token', count: 1, omit: ['refresh_token'] });
    const after = await connect(user);
    expect(after).toMatchObject({ id: credential.id, generation: 2, refreshable: true, authIsValid: true });
    expect(await refresh(after)).toEqual({ kind: 'refreshed', generation: 3 });
  });
});

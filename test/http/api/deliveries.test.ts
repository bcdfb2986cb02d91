import { call, codeOf, type Api } from './start-api.js';
import { die, newScene, readMetrics, reconnect, send, startWebhooksApi, until, type Scene } from './webhook-scene.js';

interface Row {
  readonly id: string;
  readonly external_id: string;
  readonly state: string;
  readonly held: boolean;
}

let api: Api;
beforeAll(async () => {
  api = await startWebhooksApi();
});
afterAll(() => api.close());

const get = (path: string, user = 'ann') => call(api, user, 'GET', path);
const post = (path: string, body?: object, user = 'ann') => call(api, user, 'POST', path, body);
const list = async ({ path }: Scene, query = '') =>
  (await get(`${path}/deliveries${query}`)).json<{ data: Row[]; next_cursor: string | null }>();
const wakesOf = ({ id }: Scene) => api.workflows.wakes.filter(woken => woken === id).length;
/** As the worker would leave them. */
const end = ({ id }: Scene, state: string, reason: string | null, externalIds: readonly string[]) =>
  api.query(
    `UPDATE deliveries SET state = $2, reason = $3, detail = 'No such deal.', attempts = 2, finished_at = now()
      WHERE integration_id = $1 AND external_id = ANY($4)`,
    [id, state, reason, externalIds],
  );

async function withDeliveries(...externalIds: readonly string[]): Promise<Scene> {
  const scene = await newScene(api);
  for (const deliveryId of externalIds) expect((await send(api, scene, { deliveryId })).statusCode).toBe(200);
  return scene;
}

test('are listed oldest first, by state and page by page, without their content', async () => {
  const scene = await withDeliveries('a', 'b', 'c');
  await end(scene, 'failed', 'handler_failed', ['b']);
  const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
  const { data } = await list(scene);
  expect(data).toEqual([
    expect.objectContaining({ external_id: 'a', state: 'queued', held: false, attempts: 0, outcome: null }),
    {
      id: expect.stringMatching(/^dlv_/) as string,
      external_id: 'b',
      provider: 'attio',
      state: 'failed',
      held: false,
      attempts: 2,
      outcome: { reason: 'handler_failed', detail: 'No such deal.' },
      next_attempt_at: null,
      received_at: time,
      finished_at: time,
    },
    expect.objectContaining({ external_id: 'c', finished_at: null }),
  ]);
  expect((await list(scene, '?state=failed')).data.map(row => row.external_id)).toEqual(['b']);
  const first = await list(scene, '?limit=2');
  const rest = await list(scene, `?limit=2&cursor=${first.next_cursor}`);
  expect([first.data, rest.data, rest.next_cursor]).toEqual([data.slice(0, 2), data.slice(2), null]);
  expect((await get(`${scene.path}/deliveries/${data[1]?.id}`)).json()).toEqual(data[1]);
});

test('are held while the integration is in ERROR; it tells how many, and since when', async () => {
  const scene = await newScene(api);
  await die(api, scene);
  await send(api, scene);
  await send(api, scene);
  const { data } = await list(scene);
  expect(data.map(row => [row.state, row.held])).toEqual([
    ['queued', true],
    ['queued', true],
  ]);
  const [{ received_at } = {}] = (await get(`${scene.path}/deliveries`)).json<{ data: { received_at: string }[] }>()
    .data;
  const shown = (await get(scene.path)).json<object>();
  expect(shown).toMatchObject({
    status: 'ERROR',
    deliveries: { pending: 2, held: 2, oldest_received_at: received_at },
    subscription: null,
  });
  await reconnect(api, scene);
  expect((await get(scene.path)).json()).toMatchObject({ deliveries: { pending: 2, held: 0 } });
});

test('the integration tells how its subscription stands', async () => {
  const scene = await newScene(api, 'subscribing');
  const since = new Date('2026-01-02T03:04:05.000Z');
  const expiresAt = new Date('2027-01-02T03:04:05.000Z');
  const { version = 0 } = (await api.store.getSubscription(scene.id)) ?? {};
  const failure = { detail: 'The provider answered 403.', since, tries: 3 };
  await api.store.compareAndSetSubscription(scene.id, version, {
    sealedSecrets: null,
    expiresAt,
    dueAt: null,
    failure,
  });
  expect((await get(scene.path)).json()).toMatchObject({
    subscription: {
      expires_at: '2027-01-02T03:04:05.000Z',
      failure: { detail: 'The provider answered 403.', since: '2026-01-02T03:04:05.000Z' },
    },
  });
});

describe('replaying', () => {
  test.each([
    ['failed', 'handler_failed'],
    ['discarded', 'integration_disabled'],
    ['expired', 'held_too_long'],
  ])('one that %s queues it afresh and wakes', async (state, reason) => {
    const scene = await withDeliveries('a');
    await until(() => wakesOf(scene) === 1);
    await end(scene, state, reason, ['a']);
    const [{ id } = { id: '' }] = (await list(scene)).data;
    const answer = await post(`${scene.path}/deliveries/${id}/replay`);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      expect.objectContaining({ id, state: 'queued', attempts: 0, outcome: null, finished_at: null }) as object,
    ]);
    await until(() => wakesOf(scene) === 2);
  });

  test.each(['queued', 'succeeded'])('one that %s is refused', async state => {
    const scene = await withDeliveries('a');
    if (state === 'succeeded') await end(scene, state, null, ['a']);
    const [{ id } = { id: '' }] = (await list(scene)).data;
    const answer = await post(`${scene.path}/deliveries/${id}/replay`);
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'delivery_not_replayable']);
  });

  test.each([undefined, { state: 'queued' }, { state: 'failed', more: 1 }])(
    'of a state that is not one of them (%j) is refused, and the answer names it',
    async body => {
      const scene = await newScene(api);
      const answer = await call(api, 'ann', 'POST', `${scene.path}/deliveries/replay`, body);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
      expect(answer.body).toMatch(body === undefined ? /must be {\\"state\\": \\"failed\\"}/ : /state|more/);
    },
  );

  test('all of a state queues these only, and says how many', async () => {
    const scene = await withDeliveries('a', 'b', 'c', 'd');
    await end(scene, 'failed', 'handler_failed', ['a', 'b']);
    await end(scene, 'expired', 'held_too_many', ['c']);
    const answer = await post(`${scene.path}/deliveries/replay`, { state: 'failed' });
    expect([answer.statusCode, answer.json()]).toEqual([200, { queued: 2, more: false }]);
    expect((await list(scene)).data.map(row => row.state)).toEqual(['queued', 'queued', 'expired', 'queued']);
    expect((await post(`${scene.path}/deliveries/replay`, { state: 'failed' })).json()).toEqual({
      queued: 0,
      more: false,
    });
  });

  test('while the integration is in ERROR holds them and wakes nobody', async () => {
    const scene = await newScene(api);
    await die(api, scene);
    await send(api, scene, { deliveryId: 'a' });
    await end(scene, 'failed', 'handler_failed', ['a']);
    expect((await post(`${scene.path}/deliveries/replay`, { state: 'failed' })).json()).toMatchObject({ queued: 1 });
    expect((await list(scene)).data).toMatchObject([{ state: 'queued', held: true }]);
    expect(wakesOf(scene)).toBe(0);
  });

  test.each([{}, { state: 'queued' }, { state: 'failed', all: true }])('%j is refused', async body => {
    const scene = await newScene(api);
    const answer = await post(`${scene.path}/deliveries/replay`, body);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
  });
});

test('discarding ends what is queued, leaves the rest, and can be undone by a replay', async () => {
  const scene = await withDeliveries('a', 'b', 'c');
  await end(scene, 'succeeded', null, ['a']);
  const answer = await post(`${scene.path}/deliveries/discard`, {});
  expect([answer.statusCode, answer.json()]).toEqual([200, { discarded: 2, more: false }]);
  expect((await list(scene)).data).toMatchObject([
    { state: 'succeeded' },
    { state: 'discarded', outcome: { reason: 'discarded_by_hand' } },
    { state: 'discarded', outcome: { reason: 'discarded_by_hand' } },
  ]);
  const ended = /relink_deliveries_ended_total{state="discarded",reason="discarded_by_hand"} (\d+)/;
  const metrics = await readMetrics(api);
  expect(Number(ended.exec(metrics)?.[1])).toBeGreaterThanOrEqual(2);
  const replayed = await post(`${scene.path}/deliveries/replay`, { state: 'discarded' });
  expect(replayed.json()).toEqual({ queued: 2, more: false });
});

test("another user's, and those of another integration, are not found", async () => {
  const scene = await withDeliveries('a');
  const other = await newScene(api);
  const [{ id } = { id: '' }] = (await list(scene)).data;
  const answers = await Promise.all([
    get(`${scene.path}/deliveries`, 'bob'),
    get(`${scene.path}/deliveries/${id}`, 'bob'),
    post(`${scene.path}/deliveries/${id}/replay`, undefined, 'bob'),
    post(`${scene.path}/deliveries/replay`, { state: 'failed' }, 'bob'),
    post(`${scene.path}/deliveries/discard`, undefined, 'bob'),
    get(`${other.path}/deliveries/${id}`),
    post(`${other.path}/deliveries/${id}/replay`),
    get(`${scene.path}/deliveries/dlv_${'0'.repeat(32)}`),
  ]);
  expect(answers.map(answer => [answer.statusCode, codeOf(answer)])).toEqual(answers.map(() => [404, 'not_found']));
  expect((await list(scene)).data).toMatchObject([{ state: 'queued' }]);
});

import { codeOf, type Api } from './start-api.js';
import { call, connect } from './start-api.js';
import { replyJson } from '../../support/wire-provider.js';
import { countsOf, deliveriesOf, die, newScene, sendHubspot, startWebhooksApi, until } from './webhook-scene.js';

let api: Api;
beforeAll(async () => {
  api = await startWebhooksApi();
});
afterAll(() => api.close());

const bodies = async (scene: Parameters<typeof deliveriesOf>[1]) =>
  (await deliveriesOf(api, scene)).map(row => JSON.parse(row.body.toString()) as object);

test('a batch is split, and each event goes to the integrations on its account', async () => {
  const one = await newScene(api, 'inbox', 'hubspot');
  const other = await newScene(api, 'inbox', 'hubspot');
  const events = [
    { eventId: 1, portalId: one.account },
    { eventId: 2, portalId: other.account },
    { eventId: 3, portalId: one.account },
  ];
  const answer = await sendHubspot(api, events);
  expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 3 }]);
  expect(await bodies(one)).toEqual([events[0], events[2]]);
  expect(await bodies(other)).toEqual([events[1]]);
  await until(() => [one, other].every(({ id }) => api.workflows.wakes.includes(id)));
});

test('every integration on the account gets it, whoever its user, unless its type takes none', async () => {
  const scene = await newScene(api, 'inbox', 'hubspot');
  await call(api, 'ann', 'POST', '/api/integrations', { type: 'contact-sync', entities: [scene.entityId] });
  api.provider.identity = replyJson(200, { active: true, workspace_id: scene.account, workspace_name: 'Acme' });
  const { entity_id } = await connect(api, 'bob', { entityType: 'hubspot' });
  const created = await call(api, 'bob', 'POST', '/api/integrations', { type: 'strict', entities: [entity_id] });
  const { id } = created.json<{ id: typeof scene.id }>();
  const answer = await sendHubspot(api, [{ eventId: 1, portalId: scene.account }]);
  expect(answer.json()).toEqual({ accepted: 2 });
  expect([await bodies(scene), await bodies({ id })].map(list => list.length)).toEqual([1, 1]);
});

test('an account nobody connected is answered 200 and counted', async () => {
  const before = await countsOf(api, 'hubspot');
  const scene = await newScene(api, 'inbox', 'hubspot');
  const answer = await sendHubspot(api, [
    { eventId: 1, portalId: 'nobody' },
    { eventId: 2 },
    { eventId: 3, portalId: scene.account },
  ]);
  expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1 }]);
  expect((await countsOf(api, 'hubspot'))['unknown_account']).toBe((before['unknown_account'] ?? 0) + 2);
});

test('each integration has a gate of its own', async () => {
  const held = await newScene(api, 'inbox', 'hubspot');
  const open = await newScene(api, 'inbox', 'hubspot');
  await die(api, held);
  await sendHubspot(api, [
    { eventId: 1, portalId: held.account },
    { eventId: 2, portalId: open.account },
  ]);
  expect([await bodies(held), await bodies(open)].map(list => list.length)).toEqual([1, 1]);
  await until(() => api.workflows.wakes.includes(open.id));
  expect(api.workflows.wakes).not.toContain(held.id);
});

test('a wrong signature is refused before any account is looked at', async () => {
  const scene = await newScene(api, 'inbox', 'hubspot');
  const answer = await sendHubspot(api, [{ eventId: 1, portalId: scene.account }], 'another');
  expect([answer.statusCode, codeOf(answer)]).toEqual([401, 'webhook_signature_wrong']);
  expect(await bodies(scene)).toEqual([]);
});

test('an integration created a moment ago gets the next webhook of an account that just had one', async () => {
  const scene = await newScene(api, 'inbox', 'hubspot');
  const event = (eventId: number) => [{ eventId, portalId: scene.account }];
  expect((await sendHubspot(api, event(1))).json()).toEqual({ accepted: 1 });
  const created = await call(api, 'ann', 'POST', '/api/integrations', { type: 'strict', entities: [scene.entityId] });
  expect((await sendHubspot(api, event(2))).json()).toEqual({ accepted: 2 });
  expect(await bodies(created.json<{ id: typeof scene.id }>())).toEqual(event(2));
});

test('an account that was not known a moment ago gets its first webhook once it is connected', async () => {
  const event = [{ eventId: 1, portalId: 'ws-of-the-first-minute' }];
  expect((await sendHubspot(api, event)).json()).toEqual({ accepted: 0 });
  api.provider.identity = replyJson(200, { active: true, workspace_id: 'ws-of-the-first-minute', workspace_name: 'A' });
  const { entity_id } = await connect(api, 'ann', { entityType: 'hubspot' });
  await call(api, 'ann', 'POST', '/api/integrations', { type: 'inbox', entities: [entity_id] });
  expect((await sendHubspot(api, event)).json()).toEqual({ accepted: 1 });
});

test('an account with more integrations than a webhook may be for is counted each time and told of once', async () => {
  const scene = await newScene(api, 'inbox', 'hubspot');
  await api.query(
    `WITH made AS (
       INSERT INTO integrations (id, user_id, type, entity_key, config, lifecycle, intent, causes, epochs, status,
                                 status_since, version, created_at, updated_at)
       SELECT 'int_f' || lpad(n::text, 31, '0'), 'user-' || n, 'inbox', $1, '{}', 'ready', 'on', '[]', '{}', 'ENABLED',
              now(), 1, now(), now() FROM generate_series(1, 1000) n RETURNING id)
     INSERT INTO integration_entities (entity_id, integration_id) SELECT $1, id FROM made`,
    [scene.entityId],
  );
  for (const eventId of [1, 2]) {
    const answer = await sendHubspot(api, [{ eventId, portalId: scene.account }]);
    expect(answer.json()).toEqual({ accepted: 1_000 });
  }
  expect((await countsOf(api, 'hubspot'))['account_cut_short']).toBe(2);
  const lines = api.logLines.filter(line => line.includes('More than 1000 integrations'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(scene.id);
});

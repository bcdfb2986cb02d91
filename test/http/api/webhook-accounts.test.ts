import { codeOf, type Api } from './start-api.js';
import { call, connect } from './start-api.js';
import { replyJson } from '../../support/wire-provider.js';
import { countsOf, deliveriesOf, die, newScene, sendHubspot, startWebhooksApi } from './webhook-scene.js';

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
  expect(api.workflows.wakes).toEqual(expect.arrayContaining([one.id, other.id]));
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
  expect(api.workflows.wakes).toContain(open.id);
  expect(api.workflows.wakes).not.toContain(held.id);
});

test('a wrong signature is refused before any account is looked at', async () => {
  const scene = await newScene(api, 'inbox', 'hubspot');
  const answer = await sendHubspot(api, [{ eventId: 1, portalId: scene.account }], 'another');
  expect([answer.statusCode, codeOf(answer)]).toEqual([401, 'webhook_signature_wrong']);
  expect(await bodies(scene)).toEqual([]);
});

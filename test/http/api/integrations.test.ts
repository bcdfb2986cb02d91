import type { LightMyRequestResponse } from 'fastify';
import { isId, type CredentialId } from '../../../src/domain/ids.js';
import { replyJson } from '../../support/wire-provider.js';
import { call, codeOf, connect, startApi, type Api, type ApiProcess } from './start-api.js';

interface IntegrationBody {
  readonly id: string;
  readonly status: string;
  readonly causes: readonly { readonly credential_id: string; readonly text: string }[];
}

let api: Api;
let second: ApiProcess;
beforeAll(async () => {
  api = await startApi();
  second = await api.startProcess();
});
afterAll(async () => {
  await second.close();
  await api.close();
});
beforeEach(() => {
  api.workflows.isDown = false;
});

let accounts = 0;
/** Connects an account nobody has yet. */
async function newConnection(user: string): Promise<{ credential_id: CredentialId; entity_id: string }> {
  accounts += 1;
  const workspace = { active: true, workspace_id: `ws_${accounts}`, workspace_name: 'Acme' };
  api.provider.identity = replyJson(200, workspace);
  const { credential_id, entity_id } = await connect(api, user);
  if (!isId('credential', credential_id)) throw new Error('no credential');
  return { credential_id, entity_id };
}

function create(user: string, entities: readonly string[], more: object = {}): Promise<LightMyRequestResponse> {
  return call(api, user, 'POST', '/api/integrations', { type: 'contact-sync', entities, ...more });
}

async function kill(id: CredentialId): Promise<void> {
  const credential = await api.store.getCredential(id);
  const verdict = { code: 'credential_refused', httpStatus: 401, since: new Date() } as const;
  await api.store.markCredentialInvalid(id, credential?.epoch ?? 0, verdict, new Date());
}

describe('creating', () => {
  test('answers 201 with the enabled integration', async () => {
    const { entity_id } = await newConnection('ann');
    const answer = await create('ann', [entity_id]);
    expect(answer.statusCode).toBe(201);
    const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^int_/) as string,
      type: 'contact-sync',
      status: 'ENABLED',
      entities: [entity_id],
      config: {},
      config_issues: [],
      causes: [],
      status_since: time,
      created_at: time,
      updated_at: time,
    });
  });

  test('is logged with id, type and status', async () => {
    const { entity_id } = await newConnection('ann');
    const { id } = (await create('ann', [entity_id])).json<IntegrationBody>();
    expect(api.logLines.join('')).toContain(`"msg":"Integration ${id} (contact-sync) created: ENABLED"`);
  });

  test('the same again answers 200 with the existing one, whatever the order of entities', async () => {
    const one = await newConnection('ann');
    const two = await newConnection('ann');
    const first = await create('ann', [one.entity_id, two.entity_id]);
    const again = await create('ann', [two.entity_id, one.entity_id, one.entity_id], { config: { other: 1 } });
    expect([first.statusCode, again.statusCode]).toEqual([201, 200]);
    expect(again.json()).toEqual(first.json());
  });

  test('at once and in two server processes gives one', async () => {
    const { entity_id } = await newConnection('ann');
    const body = { type: 'contact-sync', entities: [entity_id] };
    const answers = await Promise.all(
      [api, second, api, second].map(process => call(process, 'ann', 'POST', '/api/integrations', body)),
    );
    expect(answers.map(answer => answer.statusCode).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(answer => answer.json<IntegrationBody>().id)).size).toBe(1);
  });

  test('a missing setting makes it NEEDS_CONFIG, and every answer says which', async () => {
    const { entity_id } = await newConnection('ann');
    const answer = await create('ann', [entity_id], { type: 'pipeline-report' });
    const config_issues = [{ path: 'pipelineId', message: expect.stringContaining('expected string') as string }];
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({ status: 'NEEDS_CONFIG', causes: [], config_issues });
    const { id } = answer.json<IntegrationBody>();
    const url = `/api/integrations/${id}`;
    expect((await call(api, 'ann', 'GET', url)).json()).toMatchObject({ config_issues });
    const { data } = (await call(api, 'ann', 'GET', '/api/integrations?status=NEEDS_CONFIG')).json<{
      data: object[];
    }>();
    expect(data).toContainEqual(expect.objectContaining({ id, config_issues }));
    const completed = await call(api, 'ann', 'PATCH', url, { config: { pipelineId: 'p1' } });
    expect(completed.json()).toMatchObject({ status: 'ENABLED', config_issues: [] });
  });

  test('on a dead credential it lands in ERROR, with the cause that the invalidation wrote', async () => {
    const { entity_id, credential_id } = await newConnection('ann');
    await kill(credential_id);
    const answer = await create('ann', [entity_id]);
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      status: 'ERROR',
      causes: [{ credential_id, provider: 'attio', code: 'credential_refused', http_status: 401 }],
    });
    const { id } = answer.json<IntegrationBody>();
    expect(api.workflows.invalidations.at(-1)).toMatchObject({
      scope: id,
      input: { credentialId: credential_id, code: 'credential_refused', httpStatus: 401 },
    });
  });

  test('on a dead credential while Temporal is down it stays IN_CREATION, never ENABLED', async () => {
    const { entity_id, credential_id } = await newConnection('ann');
    await kill(credential_id);
    api.workflows.isDown = true;
    const answer = await create('ann', [entity_id]);
    expect([answer.statusCode, answer.json<IntegrationBody>().status]).toEqual([201, 'IN_CREATION']);
  });

  test.each([
    ['an unknown type', { type: 'nothing' }, 'integration_type_unknown'],
    ['no entity', { entities: [] }, 'invalid_request'],
    ['eleven entities', { entities: Array.from({ length: 11 }, () => `ent_${'0'.repeat(32)}`) }, 'invalid_request'],
    ['an unknown entity', { entities: [`ent_${'0'.repeat(32)}`] }, 'entity_not_usable'],
    ['a config that is no object', { config: [] }, 'invalid_request'],
    ['a config with a NUL character', { config: { a: 'x\u0000y' } }, 'invalid_request'],
  ])('%s is refused and stores nothing', async (_name, more, code) => {
    const { entity_id } = await newConnection('ann');
    const before = await api.query('SELECT count(*) FROM integrations');
    const answer = await create('ann', [entity_id], more);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, code]);
    expect(await api.query('SELECT count(*) FROM integrations')).toEqual(before);
  });

  test("another user's entity is refused", async () => {
    const { entity_id } = await newConnection('ann');
    expect(codeOf(await create('bob', [entity_id]))).toBe('entity_not_usable');
  });
});

describe('changing', () => {
  async function newIntegration(more: object = {}): Promise<{ url: string; credential_id: CredentialId }> {
    const { entity_id, credential_id } = await newConnection('ann');
    const { id } = (await create('ann', [entity_id], more)).json<IntegrationBody>();
    return { url: `/api/integrations/${id}`, credential_id };
  }
  const patch = (url: string, body: object) => call(api, 'ann', 'PATCH', url, body);

  test('pausing and switching on', async () => {
    const { url } = await newIntegration();
    expect((await patch(url, { status: 'DISABLED' })).json()).toMatchObject({ status: 'DISABLED' });
    expect((await call(api, 'ann', 'GET', url)).json()).toMatchObject({ status: 'DISABLED' });
    expect((await patch(url, { status: 'ENABLED' })).json()).toMatchObject({ status: 'ENABLED' });
  });

  test('a held status is no write', async () => {
    const { url } = await newIntegration();
    const before = (await call(api, 'ann', 'GET', url)).json<object>();
    expect(before).toMatchObject((await patch(url, { status: 'ENABLED' })).json<object>());
  });

  test('switching on while a cause is open lands in ERROR', async () => {
    const { entity_id, credential_id } = await newConnection('ann');
    await kill(credential_id);
    const { id } = (await create('ann', [entity_id])).json<IntegrationBody>();
    expect((await patch(`/api/integrations/${id}`, { status: 'DISABLED' })).json()).toMatchObject({
      status: 'DISABLED',
    });
    const answer = await patch(`/api/integrations/${id}`, { status: 'ENABLED' });
    expect([answer.statusCode, answer.json<IntegrationBody>().status]).toEqual([200, 'ERROR']);
  });

  test('the config moves it between NEEDS_CONFIG and ENABLED', async () => {
    const { url } = await newIntegration({ type: 'pipeline-report' });
    expect((await patch(url, { config: { pipelineId: 'p1' } })).json()).toMatchObject({
      status: 'ENABLED',
      config: { pipelineId: 'p1' },
    });
    expect((await patch(url, { config: {} })).json()).toMatchObject({ status: 'NEEDS_CONFIG', config: {} });
  });

  test('a paused integration stays paused when its config is completed', async () => {
    const { url } = await newIntegration({ type: 'pipeline-report' });
    await patch(url, { status: 'DISABLED' });
    expect((await patch(url, { config: { pipelineId: 'p' } })).json()).toMatchObject({ status: 'DISABLED' });
    expect((await patch(url, { status: 'ENABLED' })).json()).toMatchObject({ status: 'ENABLED' });
  });

  test('the late restore of an earlier connect does not end a pause', async () => {
    const { entity_id, credential_id } = await newConnection('ann');
    const { id } = (await create('ann', [entity_id])).json<IntegrationBody>();
    const credential = await api.store.getCredential(credential_id);
    await patch(`/api/integrations/${id}`, { status: 'DISABLED' });
    await api.workflows.restore({
      sessionId: null,
      credentialId: credential_id,
      entityId: null,
      epoch: credential?.epoch ?? 0,
      optIn: true,
    });
    expect((await call(api, 'ann', 'GET', `/api/integrations/${id}`)).json()).toMatchObject({ status: 'DISABLED' });
  });

  test.each([
    ['nothing', {}],
    ['a status of the system', { status: 'ERROR' }],
    ['a surplus field', { status: 'ENABLED', causes: [] }],
  ])('%s is refused', async (_name, body) => {
    const { url } = await newIntegration();
    const answer = await patch(url, body);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
  });

  test('twenty changes at once all hold', async () => {
    const { url } = await newIntegration();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        call(index % 2 === 0 ? api : second, 'ann', 'PATCH', url, { config: { index } }),
      ),
    );
    expect(answers.map(answer => answer.statusCode)).toEqual(Array.from({ length: 20 }, () => 200));
  });

  test('deleting removes it; while it is being deleted it cannot be changed or created again', async () => {
    const { entity_id } = await newConnection('ann');
    const { id } = (await create('ann', [entity_id])).json<IntegrationBody>();
    const url = `/api/integrations/${id}`;
    await api.query("UPDATE integrations SET lifecycle = 'deleting', status = 'IN_DELETION' WHERE id = $1", [id]);
    const patched = await patch(url, { status: 'DISABLED' });
    expect([patched.statusCode, codeOf(patched)]).toEqual([409, 'integration_in_deletion']);
    const created = await create('ann', [entity_id]);
    expect([created.statusCode, codeOf(created)]).toEqual([409, 'integration_in_deletion']);
    expect((await call(api, 'ann', 'DELETE', url)).statusCode).toBe(204);
    expect((await call(api, 'ann', 'GET', url)).statusCode).toBe(404);
    expect((await call(api, 'ann', 'DELETE', url)).statusCode).toBe(404);
    expect((await create('ann', [entity_id])).statusCode).toBe(201);
  });
});

test("a user never sees, changes or deletes another's integration", async () => {
  const { entity_id } = await newConnection('ann');
  const { id } = (await create('ann', [entity_id])).json<IntegrationBody>();
  const url = `/api/integrations/${id}`;
  const answers = await Promise.all([
    call(api, 'bob', 'GET', url),
    call(api, 'bob', 'PATCH', url, { status: 'DISABLED' }),
    call(api, 'bob', 'DELETE', url),
  ]);
  expect(answers.map(answer => [answer.statusCode, codeOf(answer)])).toEqual([
    [404, 'not_found'],
    [404, 'not_found'],
    [404, 'not_found'],
  ]);
  expect((await call(api, 'bob', 'GET', '/api/integrations')).json()).toEqual({ data: [], next_cursor: null });
  expect((await call(api, 'ann', 'GET', url)).json()).toMatchObject({ status: 'ENABLED' });
});

test('lists are filtered by status and entity, and walked by cursor', async () => {
  const { entity_id } = await newConnection('lea');
  const created = [];
  for (const type of ['contact-sync', 'pipeline-report']) {
    created.push((await create('lea', [entity_id], { type })).json<IntegrationBody>().id);
  }
  const other = await newConnection('lea');
  created.push((await create('lea', [other.entity_id])).json<IntegrationBody>().id);

  const list = async (query: string) => {
    const answer = await call(api, 'lea', 'GET', `/api/integrations?${query}`);
    return answer.json<{ data: IntegrationBody[]; next_cursor: string | null }>();
  };
  const ids = (page: { data: IntegrationBody[] }) => page.data.map(({ id }) => id);
  expect(ids(await list('status=NEEDS_CONFIG'))).toEqual([created[1]]);
  expect(ids(await list(`entityId=${entity_id}`))).toEqual(created.slice(0, 2));
  const first = await list('limit=2');
  expect([ids(first), first.next_cursor === null]).toEqual([created.slice(0, 2), false]);
  const rest = await list(`limit=2&cursor=${first.next_cursor}`);
  expect([ids(rest), rest.next_cursor]).toEqual([created.slice(2), null]);
});

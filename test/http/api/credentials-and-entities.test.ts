import { accessToken, apiKey, call, codeOf, connect, startApi, type Api } from './start-api.js';

let api: Api;
let mine: { credential_id: string; entity_id: string };
beforeAll(async () => {
  api = await startApi();
  mine = await connect(api, 'ann');
});
afterAll(() => api.close());

const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;

test('a credential shows what it is and never its tokens', async () => {
  const answer = await call(api, 'ann', 'GET', `/api/credentials/${mine.credential_id}`);
  expect(answer.json()).toEqual({
    id: mine.credential_id,
    provider: 'attio',
    kind: 'oauth2',
    auth_is_valid: true,
    refreshable: false,
    expires_at: null,
    generation: 1,
    verdict: null,
    open_refresh: null,
    last_test: null,
    created_at: time,
    updated_at: time,
  });
  expect(answer.body).not.toContain(accessToken);
  expect(answer.body).not.toContain('sealed');
  const list = await call(api, 'ann', 'GET', '/api/credentials');
  expect(list.json()).toEqual({ data: [answer.json()], next_cursor: null });
});

test('an entity shows its account and whether its credential is alive', async () => {
  const answer = await call(api, 'ann', 'GET', `/api/entities/${mine.entity_id}`);
  const entity = {
    id: mine.entity_id,
    provider: 'attio',
    external_id: 'ws_1',
    name: 'Acme',
    credential_id: mine.credential_id,
    created_at: time,
    updated_at: time,
  };
  expect(answer.json()).toEqual({ ...entity, auth_is_valid: true });
  const list = await call(api, 'ann', 'GET', '/api/entities');
  expect(list.json()).toEqual({ data: [entity], next_cursor: null });
});

test("another user's are not found, and not listed", async () => {
  for (const url of [`/api/credentials/${mine.credential_id}`, `/api/entities/${mine.entity_id}`]) {
    const answer = await call(api, 'bob', 'GET', url);
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'not_found']);
  }
  for (const url of ['/api/credentials', '/api/entities']) {
    expect((await call(api, 'bob', 'GET', url)).json()).toEqual({ data: [], next_cursor: null });
  }
});

describe('testing a credential', () => {
  const url = () => `/api/credentials/${mine.credential_id}/test`;

  test('starts the workflow for its generation and answers where to look', async () => {
    const answer = await call(api, 'ann', 'POST', url());
    expect([answer.statusCode, answer.json()]).toEqual([
      202,
      { credential_id: mine.credential_id, last_test_at: null, status_url: `/api/credentials/${mine.credential_id}` },
    ]);
    expect(api.workflows.tests.at(-1)).toEqual({
      input: { credentialId: mine.credential_id, provider: 'attio', graceMs: [1000, 3000, 10000] },
      generation: 1,
    });
  });

  test('a content type without a body does no harm', async () => {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'relink-user': 'ann',
      'content-type': 'application/json',
    };
    expect((await api.app.inject({ method: 'POST', url: url(), headers })).statusCode).toBe(202);
  });

  test("fields, and another user's credential, start nothing", async () => {
    const before = api.workflows.tests.length;
    const fields = await call(api, 'ann', 'POST', url(), { force: true });
    expect([fields.statusCode, codeOf(fields)]).toEqual([400, 'invalid_request']);
    const foreign = await call(api, 'bob', 'POST', url());
    expect([foreign.statusCode, codeOf(foreign)]).toEqual([404, 'not_found']);
    expect(api.workflows.tests).toHaveLength(before);
  });
});

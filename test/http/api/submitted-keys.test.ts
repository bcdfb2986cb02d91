import { sandbox } from '../../../src/providers/catalogue/sandbox.js';
import { configureProvider } from '../../../src/providers/configure-provider.js';
import { replyJson, reset } from '../../support/wire-provider.js';
import { apiKey, call, codeOf, connect, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({
    settings: { RELINK_CALLBACK_DEADLINE: '1' },
    providers: configured => {
      const { authorizationUrl, tokenUrl, identityUrl, clientSecret } = configured.get('attio');
      const issuer = new URL(tokenUrl).origin;
      const urls = { authorizationUrl, tokenUrl, identityUrl, issuer };
      return [configureProvider(sandbox, { clientId: 'app', clientSecret, ...urls, allowInsecure: true })];
    },
  });
});
const account = { account_id: 'acct_1', account_name: 'Acme', user_id: 'u1' };
beforeEach(() => {
  api.provider.identity = replyJson(200, account);
  api.provider.token = replyJson(200, { access_token: 'minted-token', token_type: 'bearer', expires_in: 600 });
});
afterAll(() => api.close());

const secrets = {
  api_key: 'sk-secret-of-the-tests',
  basic: 'password of the tests',
  client_credentials: 'cs-of-the-tests',
};
const fieldsOf = {
  api_key: { apiKey: secrets.api_key },
  basic: { username: 'ann@example.com', password: secrets.basic },
  client_credentials: { clientId: 'client-of-ann', clientSecret: secrets.client_credentials },
};
type Kind = keyof typeof fieldsOf;

const submit = (user: string, kind: Kind, more: object = {}) =>
  call(api, user, 'POST', '/api/credentials', { entityType: 'sandbox', kind, fields: fieldsOf[kind], ...more });
const lastRequest = (path: string) => api.wire.requests.findLast(request => request.path === path);

describe.each<[Kind, string, string]>([
  ['api_key', 'x-api-key', secrets.api_key],
  ['basic', 'authorization', `Basic ${Buffer.from(`ann@example.com:${secrets.basic}`).toString('base64')}`],
  ['client_credentials', 'authorization', 'Bearer minted-token'],
])('%s', (kind, header, value) => {
  const user = `ann-${kind}`;

  test('is proven in the form of its provider, stored, and answered like a callback', async () => {
    const answer = await submit(user, kind);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        credential_id: expect.stringMatching(/^cred_/) as string,
        entity_id: expect.stringMatching(/^ent_/) as string,
        type: 'sandbox',
      },
    ]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(lastRequest('/identity')?.headers[header]).toBe(value);
    const { credential_id } = answer.json<{ credential_id: string }>();
    expect((await call(api, user, 'GET', `/api/credentials/${credential_id}`)).json()).toMatchObject({
      kind,
      auth_is_valid: true,
      refreshable: kind === 'client_credentials',
    });
  });

  test('sent again is the same credential', async () => {
    const [first, second] = [await submit(user, kind), await submit(user, kind)];
    expect(second.json()).toEqual(first.json());
  });

  test('that the provider refuses changes nothing and is told so', async () => {
    const before = (await call(api, user, 'GET', '/api/credentials')).body;
    api.provider.identity = replyJson(401, { error: 'invalid_token' });
    const answer = await submit(user, kind);
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'secret_refused']);
    expect((await call(api, user, 'GET', '/api/credentials')).body).toBe(before);
  });

  test('of another account than the one to replace is refused', async () => {
    const { entity_id } = (await submit(user, kind)).json<{ entity_id: string }>();
    api.provider.identity = replyJson(200, { ...account, account_id: 'acct_2' });
    const answer = await submit(user, kind, { entityId: entity_id });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'wrong_account']);
  });

  test.each([
    ['reset', reset],
    ['503', replyJson(503, {})],
  ])(
    'is kept and proven later while the provider is away (%s)',
    async (_name, reply) => {
      api.provider.identity = reply;
      const answer = await submit(`late-${kind}-${_name}`, kind);
      expect(answer.statusCode).toBe(202);
      const { status_url, attempt } = answer.json<{ status_url: string; attempt: string }>();
      expect(status_url).toBe(`/api/authorize/${attempt}`);
      api.provider.identity = replyJson(200, account);
      await api.workflows.settled();
      expect((await call(api, `late-${kind}-${_name}`, 'GET', status_url)).json()).toMatchObject({
        status: 'restored',
      });
    },
    20_000,
  );

  test('stands in no row, no log line and no input of a workflow in clear', async () => {
    await submit(user, kind);
    const rows = JSON.stringify(await api.query('SELECT * FROM credentials, authorization_sessions'));
    const {
      clientSecret = '',
      apiKey: key = '',
      password = '',
    } = { ...fieldsOf.api_key, ...fieldsOf.basic, ...fieldsOf.client_credentials };
    for (const secret of [clientSecret, key, password, 'minted-token']) {
      expect(rows).not.toContain(secret);
      expect(api.logLines.join('\n')).not.toContain(secret);
      expect(JSON.stringify(api.workflows.reauths)).not.toContain(secret);
    }
  });
});

describe('client credentials', () => {
  test('are minted at the token endpoint as the client of the user, with the scope of the provider', async () => {
    await submit('minter', 'client_credentials');
    const request = lastRequest('/token');
    const [, encoded = ''] = (request?.headers.authorization ?? '').split('Basic ');
    expect(Buffer.from(encoded, 'base64').toString()).toBe('client%2Dof%2Dann:cs%2Dof%2Dthe%2Dtests');
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'accounts:read',
    });
  });

  test.each([
    [401, { error: 'invalid_client' }],
    [400, { error: 'unauthorized_client' }],
    [400, { error: 'invalid_scope' }],
  ])('that mint nothing (%d %j) are refused', async (status, body) => {
    api.provider.token = replyJson(status, body);
    const answer = await submit('refused-client', 'client_credentials');
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'secret_refused']);
  });

  test('wait for a token endpoint that is away', async () => {
    api.provider.token = replyJson(500, {});
    const answer = await submit('patient-client', 'client_credentials');
    expect(answer.statusCode).toBe(202);
    api.provider.token = replyJson(200, { access_token: 'minted-late', token_type: 'bearer' });
    await api.workflows.settled();
    const { status_url } = answer.json<{ status_url: string }>();
    expect((await call(api, 'patient-client', 'GET', status_url)).json()).toMatchObject({ status: 'restored' });
  });
});

test('while Temporal is away a key is taken in, sealed, for the sweep to go on with', async () => {
  api.workflows.isDown = true;
  const answer = await submit('away', 'api_key');
  api.workflows.isDown = false;
  expect(answer.statusCode).toBe(202);
  const { attempt } = answer.json<{ attempt: string }>();
  expect(
    await api.query('SELECT state, sealed_grant IS NOT NULL AS sealed FROM authorization_sessions WHERE id = $1', [
      attempt,
    ]),
  ).toEqual([{ state: 'exchanged', sealed: true }]);
});

test('a key takes the place of the grant of the same account, and a grant that of a key', async () => {
  api.provider.identity = replyJson(200, { active: true, workspace_id: 'ws_7', workspace_name: 'Seven' });
  const granted = await connect(api, 'mixed');
  const key = { entityType: 'attio', kind: 'api_key', fields: { apiKey: 'attio-workspace-key' } };
  const replaced = await call(api, 'mixed', 'POST', '/api/credentials', key);
  expect(replaced.json()).toEqual(granted);
  expect(lastRequest('/identity')?.headers.authorization).toBe('Bearer attio-workspace-key');
  const credential = () => call(api, 'mixed', 'GET', `/api/credentials/${granted.credential_id}`);
  expect((await credential()).json()).toMatchObject({ kind: 'api_key', generation: 2 });
  expect(await connect(api, 'mixed')).toEqual(granted);
  expect((await credential()).json()).toMatchObject({ kind: 'oauth2', generation: 3 });
});

test("Pipedrive's personal token goes into its own header", async () => {
  api.provider.identity = replyJson(200, { data: { id: 1, company_id: 2, company_name: 'Two' } });
  const fields = { apiKey: 'personal-token' };
  const answer = await call(api, 'pia', 'POST', '/api/credentials', {
    entityType: 'pipedrive',
    kind: 'api_key',
    fields,
  });
  expect(answer.statusCode).toBe(200);
  expect(lastRequest('/identity')?.headers).toMatchObject({ 'x-api-token': 'personal-token' });
  expect(lastRequest('/identity')?.headers.authorization).toBeUndefined();
});

describe('is refused before anything is asked or written', () => {
  test.each<[string, number, string, object]>([
    [
      'a kind the provider does not take',
      400,
      'kind_not_taken',
      { entityType: 'attio', kind: 'basic', fields: fieldsOf.basic },
    ],
    ['an unknown kind', 400, 'invalid_request', { entityType: 'sandbox', kind: 'oauth2', fields: {} }],
    [
      'fields of another kind',
      400,
      'invalid_request',
      { entityType: 'sandbox', kind: 'api_key', fields: fieldsOf.basic },
    ],
    [
      'a field too many',
      400,
      'invalid_request',
      { entityType: 'sandbox', kind: 'api_key', fields: { apiKey: 'a', b: 'c' } },
    ],
    [
      'an unknown provider',
      404,
      'provider_unknown',
      { entityType: 'nobody', kind: 'api_key', fields: fieldsOf.api_key },
    ],
    ['an empty key', 400, 'invalid_request', { entityType: 'sandbox', kind: 'api_key', fields: { apiKey: '' } }],
    [
      'a key that would split a header',
      400,
      'invalid_request',
      { entityType: 'sandbox', kind: 'api_key', fields: { apiKey: 'a\r\nb: c' } },
    ],
    [
      'a user name with a colon',
      400,
      'invalid_request',
      { entityType: 'sandbox', kind: 'basic', fields: { username: 'a:b', password: 'c' } },
    ],
    [
      'a password with a NUL',
      400,
      'invalid_request',
      { entityType: 'sandbox', kind: 'basic', fields: { username: 'a', password: 'c\0' } },
    ],
    [
      'an entity of nobody',
      404,
      'not_found',
      { entityType: 'sandbox', kind: 'api_key', fields: fieldsOf.api_key, entityId: `ent_${'0'.repeat(32)}` },
    ],
  ])('%s', async (_name, status, code, body) => {
    const [{ n } = { n: '0' }] = await api.query('SELECT count(*) AS n FROM authorization_sessions');
    const asked = api.wire.requests.length;
    const answer = await call(api, 'careless', 'POST', '/api/credentials', body);
    expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
    expect(answer.body).not.toContain(secrets.api_key);
    expect(api.wire.requests).toHaveLength(asked);
    expect(await api.query('SELECT count(*) AS n FROM authorization_sessions')).toEqual([{ n }]);
  });

  test('a secret in the query', async () => {
    const headers = { authorization: `Bearer ${apiKey}`, 'relink-user': 'careless' };
    const answer = await api.app.inject({ method: 'POST', url: '/api/credentials?apiKey=sk-in-the-query', headers });
    expect(answer.statusCode).toBe(400);
    expect(api.logLines.join('\n')).not.toContain('sk-in-the-query');
  });
});

test('keys of 8 kB are taken', async () => {
  const fields = { apiKey: 'k'.repeat(8192) };
  const answer = await call(api, 'long', 'POST', '/api/credentials', {
    entityType: 'sandbox',
    kind: 'api_key',
    fields,
  });
  expect(answer.statusCode).toBe(200);
  expect(lastRequest('/identity')?.headers['x-api-key']).toBe(fields.apiKey);
});

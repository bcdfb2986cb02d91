import { connect as connectSocket, type AddressInfo } from 'node:net';
import { apiKey, begin, call, codeOf, comeBack, connect, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const user = { authorization: `Bearer ${apiKey}`, 'relink-user': 'ann' };

describe('a caller proves itself', () => {
  test.each([
    ['nothing', {}, 401, 'unauthenticated'],
    ['an unknown key', { ...user, authorization: 'Bearer not-the-key-not-the-key' }, 401, 'unauthenticated'],
    ['a part of the key', { ...user, authorization: `Bearer ${apiKey.slice(0, -1)}` }, 401, 'unauthenticated'],
    ['the key twice', { ...user, authorization: `Bearer ${apiKey} ${apiKey}` }, 401, 'unauthenticated'],
    ['another scheme', { ...user, authorization: `Basic ${apiKey}` }, 401, 'unauthenticated'],
    ['no user', { authorization: user.authorization }, 400, 'user_missing'],
    ['an empty user', { ...user, 'relink-user': '' }, 400, 'user_missing'],
    ['a user with a tab', { ...user, 'relink-user': 'a\tb' }, 400, 'invalid_request'],
    ['a user beyond 200 characters', { ...user, 'relink-user': 'u'.repeat(201) }, 400, 'invalid_request'],
    ['the first key', user, 200, undefined],
    ['the second key', { ...user, authorization: 'bearer another-api-key-used-in-rotation' }, 200, undefined],
    ['a user of 200 characters', { ...user, 'relink-user': 'u'.repeat(200) }, 200, undefined],
  ])('%s', async (_name, headers, status, code) => {
    const answer = await api.app.inject({ url: '/api/integrations', headers });
    expect(answer.statusCode).toBe(status);
    if (code !== undefined) expect(codeOf(answer)).toBe(code);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  test('before anything is read of the request', async () => {
    const answer = await api.app.inject({ method: 'POST', url: '/api/integrations', payload: 'x'.repeat(1_000_000) });
    expect(answer.statusCode).toBe(401);
  });

  test('every route of users asks for it', async () => {
    const { paths } = (await api.app.inject('/api/openapi.json')).json<{
      paths: Record<string, Record<string, { security?: unknown; tags: string[] }>>;
    }>();
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security, tags }]) => ({
        method,
        url: path.replaceAll(/\{.*?\}/g, 'x'),
        ofUsers: security !== undefined,
        open: ['Browser', 'Receiving', 'Service'].some(tag => tags.includes(tag)),
      })),
    );
    expect(routes.filter(({ ofUsers }) => ofUsers).length).toBeGreaterThan(12);
    for (const { method, url, ofUsers, open } of routes) {
      const answer = await api.app.inject({ method: method.toUpperCase() as 'GET', url });
      expect([method, url, ofUsers, answer.statusCode === 401]).toEqual([method, url, !open, !open]);
    }
  });
});

describe('a request that cannot be read', () => {
  test.each([
    [
      'broken JSON',
      { payload: '{"type":', headers: { ...user, 'content-type': 'application/json' } },
      400,
      'invalid_request',
    ],
    ['no body', { headers: { ...user, 'content-type': 'application/json' } }, 400, 'invalid_request'],
    [
      'a poisoned key',
      { payload: '{"__proto__":{}}', headers: { ...user, 'content-type': 'application/json' } },
      400,
      'invalid_request',
    ],
    [
      'a form',
      { payload: 'a=1', headers: { ...user, 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    ['an array', { payload: [], headers: user }, 400, 'invalid_request'],
    ['a megabyte', { payload: { type: 'x'.repeat(1_000_000) }, headers: user }, 413, 'payload_too_large'],
    [
      'extra fields',
      { payload: { type: 'contact-sync', entities: [`ent_${'0'.repeat(32)}`], x: 1 }, headers: user },
      400,
      'invalid_request',
    ],
    [
      'bad ids',
      { payload: { type: 'contact-sync', entities: ['ent_1', '../x'] }, headers: user },
      400,
      'invalid_request',
    ],
  ])('%s', async (_name, request, status, code) => {
    const answer = await api.app.inject({ method: 'POST', url: '/api/integrations', ...request });
    expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
    expect(await api.query('SELECT id FROM integrations')).toEqual([]);
  });

  test('the issues name the fields and never the values', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/api/integrations',
      headers: user,
      payload: { type: 'contact-sync', entities: ['a-value-nobody-should-see'], surplus: 'nor-this' },
    });
    expect(answer.json()).toEqual({
      error: {
        code: 'invalid_request',
        message: expect.any(String) as string,
        retryable: false,
        issues: [
          { path: 'body.entities.0', message: 'must be an id of the form ent_…' },
          { path: 'body', message: 'Unrecognized key: "surplus"' },
        ],
      },
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });

  test.each(['/', '/nothing', '/api/nothing', '/api', '/connect', '/api/oauth/callback'])(
    '%s is not found',
    async url => {
      const answer = await api.app.inject(url);
      expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'route_not_found']);
    },
  );

  test.each(['/%', '/api/credentials/%zz', '/api/integrations/%c0%ae', `/api/integrations/${'x'.repeat(2000)}`])(
    '%s is refused in our own words',
    async url => {
      const answer = await api.app.inject({ url, headers: user });
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode).toBeLessThan(500);
      expect(codeOf(answer)).toBe('invalid_request');
      expect(answer.headers['cache-control']).toBe('no-store');
    },
  );

  test.each([
    ['/api/integrations?limit=0', 400],
    ['/api/integrations?limit=101', 400],
    ['/api/integrations?limit=ten', 400],
    ['/api/integrations?limit=1&limit=2', 400],
    ['/api/integrations?cursor=1%27--', 400],
    ['/api/integrations?status=BROKEN', 400],
    ['/api/integrations?surplus=1', 400],
    ['/api/credentials/int_00000000000000000000000000000000', 400],
    ['/api/entities/ent_0000000000000000000000000000000G', 400],
    [`/api/integrations/int_${'0'.repeat(32)}`, 404],
    [`/api/credentials/cred_${'0'.repeat(32)}`, 404],
    [`/api/entities/ent_${'0'.repeat(32)}`, 404],
    [`/api/authorize/ses_${'0'.repeat(32)}`, 404],
    ['/api/authorize/ses_1', 400],
  ])('%s: %d', async (url, status) => {
    expect((await call(api, 'ann', 'GET', url)).statusCode).toBe(status);
  });
});

describe('over a real socket', () => {
  let port: number;
  beforeAll(async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
    port = (api.app.server.address() as AddressInfo).port;
  });

  function send(bytes: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let received = '';
      const socket = connectSocket(port, '127.0.0.1', () => socket.write(bytes));
      socket.setEncoding('utf8');
      socket.on('data', chunk => (received += String(chunk)));
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
      socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
    });
  }

  test('bytes that are no HTTP get an answer from the registry', async () => {
    const answer = await send('nonsense\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as unknown;
    expect(body).toMatchObject({ error: { code: 'invalid_request' } });
  });

  test('the user header sent twice is refused, not joined', async () => {
    const answer = await send(
      `GET /api/integrations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\nRelink-User: ann\r\nRelink-User: bob\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('must be sent once');
  });

  test('a megabyte is refused by its announced length', async () => {
    const answer = await send(
      `POST /api/integrations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\nRelink-User: ann\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('payload_too_large');
  });
});

test('every answer forbids caching, guessing and referrers, and names its request', async () => {
  for (const url of ['/health', '/nothing', '/api/integrations', '/api/openapi.json']) {
    const { headers } = await api.app.inject(url);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  }
});

test('a log line has method, route, status, time and request id, and no URL, state, code or key', async () => {
  const { callback, cookie, state, attempt } = await begin(api, 'ann');
  const answer = await comeBack(api, callback, cookie);
  await comeBack(api, callback.replace('attio', 'pipedrive'), cookie);
  await comeBack(api, `/nowhere?state=${state}`, cookie);
  const lines = api.logLines.map(line => JSON.parse(line) as Record<string, unknown>);
  const line = lines.find(candidate => candidate['requestId'] === answer.headers['request-id']);
  expect(line).toMatchObject({
    msg: expect.stringMatching(/^GET \/api\/oauth\/callback\/:provider answered 200 in \d+ ms$/) as string,
    method: 'GET',
    route: '/api/oauth/callback/:provider',
    status: 200,
    ms: expect.any(Number) as number,
  });
  expect(lines.map(({ msg }) => msg)).toContainEqual(
    expect.stringMatching(/^GET \(no route\) answered 404 route_not_found in \d+ ms$/),
  );
  const log = api.logLines.join('');
  for (const secret of [state, `code-of-${attempt}`, cookie.split('=')[1] ?? '', apiKey, 'attio-access-token']) {
    expect(log).not.toContain(secret);
  }
});

test('a failure that nobody foresaw is answered as internal, and the log names the route and the error', async () => {
  const { entity_id } = await connect(api, 'eve');
  const created = await call(api, 'eve', 'POST', '/api/integrations', { type: 'contact-sync', entities: [entity_id] });
  const { id } = created.json<{ id: string }>();
  // The restore of the connect still reads the row.
  await api.workflows.settled();
  await api.query(`UPDATE integrations SET epochs = '{"x":"no number"}' WHERE id = $1`, [id]);
  const answer = await call(api, 'eve', 'GET', `/api/integrations/${id}`);
  expect([answer.statusCode, codeOf(answer)]).toEqual([500, 'internal']);
  const lines = api.logLines.map(line => JSON.parse(line) as Record<string, unknown>);
  const line = lines.find(({ requestId, level }) => requestId === answer.headers['request-id'] && level === 'error');
  expect(line).toMatchObject({
    msg: 'GET /api/integrations/:id failed in an unforeseen way',
    error: { type: expect.any(String) as string, message: expect.any(String) as string },
  });
});

test('health', async () => {
  const answer = await api.app.inject('/health');
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    { status: 'ok', database: 'ok', temporal: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string },
  ]);
});

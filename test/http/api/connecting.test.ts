import { accessToken, begin, call, comeBack, ownRedirect, publicUrl, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

test('an attempt answers with the start page and keeps neither state nor verifier readable', async () => {
  const begun = await begin(api, 'ann');
  const [row] = await api.query('SELECT * FROM authorization_sessions WHERE id = $1', [begun.attempt]);
  expect(row).toMatchObject({ user_id: 'ann', provider: 'attio', state: 'pending', own_redirect: false });
  expect(begun.state).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(JSON.stringify(row)).not.toContain(begun.state);
  const created = await call(api, 'ann', 'GET', '/api/authorize?entityType=attio');
  expect(created.json()).toEqual({
    attempt: expect.stringMatching(/^ses_[0-9a-f]{32}$/) as string,
    url: expect.stringMatching(new RegExp(`^${publicUrl}/connect/ses_[0-9a-f]{32}$`)) as string,
  });
});

test('the browser is sent to the provider with state, PKCE S256 and our callback', async () => {
  const { authorizationUrl } = await begin(api, 'ann');
  expect(authorizationUrl.origin).toBe(api.wire.origin);
  expect(Object.fromEntries(authorizationUrl.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'client-of-the-tests',
    redirect_uri: `${publicUrl}/api/oauth/callback/attio`,
    code_challenge_method: 'S256',
    code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
  });
});

test('a callback answers with credential, entity and type, and the session holds no grant any more', async () => {
  const begun = await begin(api, 'ann');
  const answer = await comeBack(api, begun.callback, begun.cookie);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({
    credential_id: expect.stringMatching(/^cred_/) as string,
    entity_id: expect.stringMatching(/^ent_/) as string,
    type: 'attio',
  });
  const [row] = await api.query('SELECT * FROM authorization_sessions WHERE id = $1', [begun.attempt]);
  expect(row?.['sealed_grant']).toBeNull();
  expect(JSON.stringify(await api.query('SELECT * FROM credentials'))).not.toContain(accessToken);
});

test('the token request repeats the redirect URI and proves the code with its verifier', async () => {
  const begun = await begin(api, 'ann');
  await comeBack(api, begun.callback, begun.cookie);
  const request = api.wire.requests.filter(({ path }) => path === '/token').at(-1);
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toMatchObject({
    grant_type: 'authorization_code',
    code: `code-of-${begun.attempt}`,
    redirect_uri: `${publicUrl}/api/oauth/callback/attio`,
    code_verifier: expect.stringMatching(/^[A-Za-z0-9_-]{43,128}$/) as string,
  });
});

test('a browser gets a page instead of JSON', async () => {
  const begun = await begin(api, 'ann');
  const answer = await comeBack(api, begun.callback, begun.cookie, 'text/html,application/xml;q=0.9,*/*;q=0.8');
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toContain('text/html');
  expect(answer.body).toContain('Attio is connected');
});

test('with a return URL the browser goes there with attempt and status, its own query kept', async () => {
  const begun = await begin(api, 'ann', { returnUrl: 'https://app.example.com/done?tab=2&error=old#top' });
  const answer = await comeBack(api, begun.callback, begun.cookie);
  expect(answer.statusCode).toBe(303);
  expect(answer.headers.location).toBe(
    `https://app.example.com/done?tab=2&attempt=${begun.attempt}&status=connected#top`,
  );
});

test("a code that came to the product's own page is delivered by POST", async () => {
  const begun = await begin(api, 'ann', { redirectUri: ownRedirect });
  expect(begun.authorizationUrl.searchParams.get('redirect_uri')).toBe(ownRedirect);
  const answer = await call(api, 'ann', 'POST', '/api/authorize', {
    entityType: 'attio',
    data: { code: 'own-code', state: begun.state },
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ type: 'attio' });
  const request = api.wire.requests.filter(({ path }) => path === '/token').at(-1);
  expect(new URLSearchParams(request?.body).get('redirect_uri')).toBe(ownRedirect);
});

test('the attempt tells how it stands from beginning to end, to its user only', async () => {
  const begun = await begin(api, 'ann');
  const url = `/api/authorize/${begun.attempt}`;
  expect((await call(api, 'ann', 'GET', url)).json()).toEqual({
    attempt: begun.attempt,
    provider: 'attio',
    status: 'pending',
  });
  const connected = await comeBack(api, begun.callback, begun.cookie);
  const { type: provider, ...ids } = connected.json<Record<string, string>>();
  const { status, ...rest } = (await call(api, 'ann', 'GET', url)).json<{ status: string }>();
  expect(['connected', 'restored']).toContain(status);
  expect(rest).toEqual({ attempt: begun.attempt, provider, ...ids });
  expect((await call(api, 'bob', 'GET', url)).statusCode).toBe(404);
});

test('reconnecting an entity expects its account, and keeps its ids', async () => {
  const first = await begin(api, 'cleo');
  const { entity_id, credential_id } = (await comeBack(api, first.callback, first.cookie)).json<
    Record<string, string>
  >();
  const again = await begin(api, 'cleo', { entityId: String(entity_id) });
  const [row] = await api.query('SELECT * FROM authorization_sessions WHERE id = $1', [again.attempt]);
  expect(row).toMatchObject({ expected_entity_id: entity_id, expected_external_id: 'ws_1' });
  const answer = await comeBack(api, again.callback, again.cookie);
  expect(answer.json()).toEqual({ entity_id, credential_id, type: 'attio' });
});

test('a path in the public URL is part of every address', async () => {
  const prefixed = await api.startProcess({ settings: { RELINK_PUBLIC_URL: 'https://example.com/relink/' } });
  try {
    const created = await call(prefixed, 'ann', 'GET', '/api/authorize?entityType=attio');
    const { attempt, url } = created.json<{ attempt: string; url: string }>();
    expect(url).toBe(`https://example.com/relink/connect/${attempt}`);
    const { authorizationUrl } = await begin(prefixed, 'ann');
    expect(authorizationUrl.searchParams.get('redirect_uri')).toBe(
      'https://example.com/relink/api/oauth/callback/attio',
    );
  } finally {
    await prefixed.close();
  }
});

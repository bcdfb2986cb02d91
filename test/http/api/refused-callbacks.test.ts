import { replyJson } from '../../support/wire-provider.js';
import { begin, call, codeOf, comeBack, connect, ownRedirect, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** Fails where the attempt was touched or the provider was asked anything. */
async function expectUntouched(attempt: string, exchangesBefore: number): Promise<void> {
  const [row] = await api.query('SELECT state, error_code FROM authorization_sessions WHERE id = $1', [attempt]);
  expect(row).toEqual({ state: 'pending', error_code: null });
  expect(api.exchanges()).toBe(exchangesBefore);
}

describe('the callback is not found, the same for all', () => {
  let seen: string | undefined;

  async function expectNotFound(url: string, cookie: string | undefined): Promise<void> {
    const answer = await comeBack(api, url, cookie);
    expect(answer.statusCode).toBe(404);
    const { error } = answer.json<{ error: unknown }>();
    expect(error).toMatchObject({ code: 'attempt_not_found' });
    seen ??= JSON.stringify(error);
    expect(JSON.stringify(error)).toBe(seen);
  }

  test('for an unknown state', async () => {
    const { attempt, cookie, callback } = await begin(api, 'ann');
    const before = api.exchanges();
    await expectNotFound(callback.replace(/state=.*/, `state=${'x'.repeat(43)}`), cookie);
    await expectUntouched(attempt, before);
  });

  test('without the cookie of the start page', async () => {
    const { attempt, callback } = await begin(api, 'ann');
    const before = api.exchanges();
    await expectNotFound(callback, undefined);
    await expectUntouched(attempt, before);
  });

  test('with the cookie of another browser, or of another attempt', async () => {
    const begun = await begin(api, 'ann');
    const other = await begin(api, 'ann');
    const before = api.exchanges();
    await expectNotFound(begun.callback, `${begun.cookie.split('=')[0]}=${'A'.repeat(43)}`);
    await expectNotFound(begun.callback, other.cookie);
    await expectUntouched(begun.attempt, before);
  });

  test("at another provider's address", async () => {
    const { attempt, cookie, callback } = await begin(api, 'ann');
    const before = api.exchanges();
    await expectNotFound(callback.replace('/attio', '/pipedrive'), cookie);
    await expectNotFound(callback.replace('/attio', '/nobody'), cookie);
    await expectUntouched(attempt, before);
  });

  test("for an attempt that goes through the product's own page", async () => {
    const { attempt, cookie, callback } = await begin(api, 'ann', { redirectUri: ownRedirect });
    const before = api.exchanges();
    await expectNotFound(callback, cookie);
    await expectUntouched(attempt, before);
  });

  test('after a quarter of an hour', async () => {
    const { attempt, cookie, callback } = await begin(api, 'ann');
    const later = await api.startProcess({ now: () => new Date(Date.now() + 15 * 60_000 + 1000) });
    const before = api.exchanges();
    try {
      const answer = await comeBack(later, callback, cookie);
      expect(answer.statusCode).toBe(404);
      expect(JSON.stringify(answer.json<{ error: unknown }>().error)).toBe(seen);
      expect((await call(later, 'ann', 'GET', `/api/authorize/${attempt}`)).json()).toMatchObject({
        status: 'expired',
      });
    } finally {
      await later.close();
    }
    await expectUntouched(attempt, before);
  });

  test('and as a page where a browser asks', async () => {
    const answer = await comeBack(api, `/api/oauth/callback/attio?code=c&state=unknown`, undefined, 'text/html');
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toContain('text/html');
  });
});

describe('a delivered callback is not found', () => {
  test.each([
    ["for another user's attempt", 'bob', 'attio', {}],
    ["for another provider's attempt", 'ann', 'pipedrive', {}],
  ])('%s', async (_name, user, entityType, extra) => {
    const { attempt, state } = await begin(api, 'ann', { redirectUri: ownRedirect });
    const before = api.exchanges();
    const answer = await call(api, user, 'POST', '/api/authorize', {
      entityType,
      data: { code: 'c', state, ...extra },
    });
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'attempt_not_found']);
    await expectUntouched(attempt, before);
  });

  test('for an attempt that comes back to us', async () => {
    const { attempt, state } = await begin(api, 'ann');
    const before = api.exchanges();
    const answer = await call(api, 'ann', 'POST', '/api/authorize', {
      entityType: 'attio',
      data: { code: 'c', state },
    });
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'attempt_not_found']);
    await expectUntouched(attempt, before);
  });

  test('for an unknown state', async () => {
    const before = api.exchanges();
    const data = { code: 'c', state: 'nobody-knows-this' };
    const answer = await call(api, 'ann', 'POST', '/api/authorize', { entityType: 'attio', data });
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'attempt_not_found']);
    expect(api.exchanges()).toBe(before);
  });
});

describe('a malformed callback uses nothing up', () => {
  test.each([
    ['a repeated state', '&state=again'],
    ['a repeated code', '&code=again'],
    ['a repeated parameter nobody knows', '&x=1&x=2'],
    ['a code beyond 8 kB', `&scope=${'s'.repeat(9000)}`],
  ])('%s', async (_name, suffix) => {
    const { attempt, cookie, callback } = await begin(api, 'ann');
    const before = api.exchanges();
    const answer = await comeBack(api, callback + suffix, cookie);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
    await expectUntouched(attempt, before);
  });

  test('neither code nor error', async () => {
    const { attempt, cookie, state } = await begin(api, 'ann');
    const before = api.exchanges();
    const answer = await comeBack(api, `/api/oauth/callback/attio?state=${state}`, cookie);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
    await expectUntouched(attempt, before);
  });

  test.each([
    ['a field beside data', { entityType: 'attio', data: { code: 'c', state: 's' }, more: 1 }],
    [
      'a parameter of another provider',
      { entityType: 'attio', data: { code: 'c', state: 's', 'accounts-server': 'x' } },
    ],
    ['a number as code', { entityType: 'attio', data: { code: 7, state: 's' } }],
    ['no state', { entityType: 'attio', data: { code: 'c' } }],
    ['no data', { entityType: 'attio' }],
  ])('delivered: %s', async (_name, body) => {
    const before = api.exchanges();
    const answer = await call(api, 'ann', 'POST', '/api/authorize', body);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid_request']);
    expect(answer.json<{ error: { issues: unknown[] } }>().error.issues).not.toHaveLength(0);
    expect(api.exchanges()).toBe(before);
  });

  test('parameters that a provider adds on its own do no harm', async () => {
    const { cookie, callback } = await begin(api, 'ann');
    const answer = await comeBack(api, `${callback}&session_state=1&utm=x`, cookie);
    expect(answer.statusCode).toBe(200);
  });
});

describe('an attempt that may not begin', () => {
  test.each([
    ['an unknown provider', { entityType: 'nobody' }, 404, 'provider_unknown'],
    ['a provider without settings', { entityType: 'zoho' }, 409, 'provider_not_configured'],
    ['no provider', {}, 400, 'invalid_request'],
    ['an extra field', { entityType: 'attio', more: '1' }, 400, 'invalid_request'],
    [
      'a return URL elsewhere',
      { entityType: 'attio', returnUrl: 'https://evil.example' },
      400,
      'return_url_not_allowed',
    ],
    [
      'a redirect URI elsewhere',
      { entityType: 'attio', redirectUri: `${ownRedirect}/x` },
      400,
      'redirect_uri_not_allowed',
    ],
    ['a malformed entity', { entityType: 'attio', entityId: 'ent_1' }, 400, 'invalid_request'],
    ['an unknown entity', { entityType: 'attio', entityId: `ent_${'0'.repeat(32)}` }, 404, 'not_found'],
  ])('%s stores nothing', async (_name, query, status, code) => {
    const before = await api.query('SELECT count(*) FROM authorization_sessions');
    const answer = await call(
      api,
      'ann',
      'GET',
      `/api/authorize?${new URLSearchParams(query as Record<string, string>).toString()}`,
    );
    expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
    expect(await api.query('SELECT count(*) FROM authorization_sessions')).toEqual(before);
  });

  test("another user's entity, or one of another provider, cannot be reconnected", async () => {
    api.provider.identity = replyJson(200, { active: true, workspace_id: 'ws_2', workspace_name: 'Globex' });
    const { entity_id } = await connect(api, 'dora');
    const search = (entityType: string) => `/api/authorize?entityType=${entityType}&entityId=${entity_id}`;
    const foreign = await call(api, 'eve', 'GET', search('attio'));
    expect([foreign.statusCode, codeOf(foreign)]).toEqual([404, 'not_found']);
    const other = await call(api, 'dora', 'GET', search('pipedrive'));
    expect([other.statusCode, codeOf(other)]).toEqual([404, 'not_found']);
    expect((await call(api, 'dora', 'GET', search('attio'))).statusCode).toBe(200);
  });
});

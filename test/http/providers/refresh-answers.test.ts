import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { tokenDialects } from '../../../src/providers/classification/dialects.js';
import type { AnswerMeaning } from '../../../src/providers/classification/rules.js';
import type { TokenSet } from '../../../src/providers/definition.js';
import { refreshTokens, type RefreshAnswer } from '../../../src/providers/refresh-tokens.js';
import { Secret } from '../../../src/vault/secret.js';
import {
  hang,
  hangMidBody,
  replyJson,
  replyTenMegabytes,
  replyText,
  reset,
  resetMidBody,
  startWireProvider,
  type WireProvider,
  type WireReply,
} from '../../support/wire-provider.js';
import { canary, rejection, renderError, wireUp } from '../../support/wire-settings.js';

let wire: WireProvider;
beforeAll(async () => {
  wire = await startWireProvider();
});
afterAll(async () => {
  await wire.close();
  await closeProviderConnections();
});

const issuedAt = new Date('2026-01-01T00:00:00.000Z');
const good = { access_token: 'at-2', token_type: 'Bearer', refresh_token: 'rt-2', expires_in: 3600 };

const heldOf = (overrides: Partial<TokenSet> = {}): TokenSet => ({
  accessToken: new Secret('at-1'),
  refreshToken: new Secret('rt-1'),
  expiresAt: issuedAt,
  extras: {},
  ...overrides,
});

async function refresh(reply: WireReply, id = 'sandbox', timeoutMs = 5000, held = heldOf()): Promise<RefreshAnswer> {
  wire.reply = reply;
  return refreshTokens(wireUp(id, wire), held, { timeoutMs, issuedAt });
}

/** The same with the dialect of a provider that has no definition yet. */
async function refreshAs(id: string, reply: WireReply): Promise<RefreshAnswer> {
  expect(Object.keys(tokenDialects)).toContain(id);
  wire.reply = reply;
  const provider = { ...wireUp('sandbox', wire), id: id as ReturnType<typeof wireUp>['id'] };
  return refreshTokens(provider, heldOf(), { timeoutMs: 5000, issuedAt });
}

async function refreshed(reply: WireReply, id?: string, held?: TokenSet): Promise<TokenSet> {
  const answer = await refresh(reply, id, 5000, held);
  if (answer.meaning !== 'ok') throw new Error(`expected tokens, got ${answer.meaning}`);
  return answer.tokens;
}

describe('the request', () => {
  test('carries a refresh token of 8 kB whole, and brings one', async () => {
    const long = `${'r'.repeat(8_191)}~`;
    const tokens = await refreshed(
      replyJson(200, { ...good, access_token: `a${long}`, refresh_token: `b${long}` }),
      'sandbox',
      heldOf({ refreshToken: new Secret(long) }),
    );
    expect(new URLSearchParams(wire.requests.at(-1)?.body).get('refresh_token')).toBe(long);
    expect([tokens.accessToken.reveal(), tokens.refreshToken?.reveal()]).toEqual([`a${long}`, `b${long}`]);
  });

  test('is one POST of the refresh token, with the client named as the provider wants it', async () => {
    const before = wire.requests.length;
    await refreshed(replyJson(200, good));
    expect(wire.requests.slice(before)).toEqual([
      expect.objectContaining({ method: 'POST', path: '/token', body: 'refresh_token=rt-1&grant_type=refresh_token' }),
    ]);
    expect(wire.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
    expect(wire.requests.at(-1)?.headers['content-length']).toBe('43');
    await refreshed(replyJson(200, { ...good, api_domain: undefined }), 'zoho');
    expect(new URLSearchParams(wire.requests.at(-1)?.body).get('client_secret')).toBe('wire/secret:1');
  });

  test('goes to the accounts server of the grant, and to no other host', async () => {
    const before = wire.requests.length;
    const extras = { 'accounts-server': 'https://accounts.zoho.evil.example' };
    expect(await rejection(refresh(replyJson(200, good), 'zoho', 5000, heldOf({ extras })))).toMatchObject({
      code: 'host_not_allowed',
    });
    expect(wire.requests).toHaveLength(before);
  });

  test('is not made without a refresh token', async () => {
    const before = wire.requests.length;
    const held = heldOf({ refreshToken: null });
    expect(await rejection(refresh(replyJson(200, good), 'attio', 5000, held))).toMatchObject({ code: 'internal' });
    expect(wire.requests).toHaveLength(before);
  });
});

describe('new tokens', () => {
  test('replace both, and end counted from before the request', async () => {
    const tokens = await refreshed(replyJson(200, good));
    expect(tokens.accessToken.reveal()).toBe('at-2');
    expect(tokens.refreshToken?.reveal()).toBe('rt-2');
    expect(tokens.expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
  });

  test.each([
    ['missing', {}],
    ['null', { refresh_token: null }],
    ['empty', { refresh_token: '' }],
  ])('keep the refresh token held when it is %s in the answer', async (_what, fields) => {
    const answer = { access_token: 'at-2', token_type: 'Bearer', ...fields };
    expect((await refreshed(replyJson(200, answer))).refreshToken?.reveal()).toBe('rt-1');
  });

  test('keep what came with the grant, and take what is new', async () => {
    const extras = { 'accounts-server': 'https://accounts.zoho.eu', api_domain: 'https://www.zohoapis.eu' };
    const held = heldOf({ extras });
    expect((await refreshed(replyJson(200, good), 'zoho', held)).extras).toEqual(extras);
    const api_domain = 'https://sandbox.zohoapis.eu';
    expect((await refreshed(replyJson(200, { ...good, api_domain }), 'zoho', held)).extras).toEqual({
      ...extras,
      api_domain,
    });
  });

  test.each([
    ['a host off the list', 'https://www.zohoapis.evil.example'],
    ['an address that is none', 'www.zohoapis.eu'],
    ['a number', 7],
    ['nothing', ''],
  ])('are not lost over %s among them: the host held stays', async (_what, api_domain) => {
    const extras = { api_domain: 'https://www.zohoapis.eu' };
    const tokens = await refreshed(replyJson(200, { ...good, api_domain }), 'zoho', heldOf({ extras }));
    expect(tokens.refreshToken?.reveal()).toBe('rt-2');
    expect(tokens.extras).toEqual(extras);
  });

  test('of 8 kB, and without a token type, are taken', async () => {
    const long = 'x'.repeat(8192);
    const tokens = await refreshed(replyJson(200, { access_token: long, refresh_token: long }));
    expect(tokens.accessToken.reveal()).toBe(long);
    expect(tokens.refreshToken?.reveal()).toBe(long);
  });

  test.each([
    ['missing', undefined, 3_600_000],
    ['zero', 0, 3_600_000],
    ['negative', -60, 3_600_000],
    ['a string', '1800', 1_800_000],
    ['a word', 'soon', 3_600_000],
  ])('with expires_in %s end by the rule of the provider', async (_what, expires_in, lifetimeMs) => {
    const reply = replyJson(200, { ...good, expires_in });
    expect((await refreshed(reply, 'pipedrive')).expiresAt).toEqual(new Date(issuedAt.getTime() + lifetimeMs));
    const atSandbox = await refreshed(reply);
    expect(atSandbox.expiresAt?.getTime()).toBe(expires_in === '1800' ? issuedAt.getTime() + 1_800_000 : undefined);
  });

  test('of Zoho give seconds beside milliseconds', async () => {
    const inMilliseconds = await refreshed(replyJson(200, { ...good, expires_in: 3_600_000 }), 'pipedrive');
    expect(inMilliseconds.expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
    const tokens = await refreshed(replyJson(200, { ...good, expires_in: 3_600_000, expires_in_sec: 3600 }), 'zoho');
    expect(tokens.expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
  });
});

describe('what an answer means', () => {
  test.each<[string, WireReply, Partial<RefreshAnswer>]>([
    ['400 invalid_grant', replyJson(400, { error: 'invalid_grant' }), { meaning: 'definitive', httpStatus: 400 }],
    ['401 invalid_grant', replyJson(401, { error: 'invalid_grant' }), { meaning: 'definitive', httpStatus: 401 }],
    [
      'invalid_grant in a 403 (Atlassian)',
      replyJson(403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }),
      { meaning: 'definitive', httpStatus: 403, reason: 'invalid_grant' },
    ],
    [
      'invalid_grant in a 200, beside a token',
      replyJson(200, { ...good, error: 'invalid_grant' }),
      { meaning: 'definitive', httpStatus: 200 },
    ],
    ['401 invalid_client', replyJson(401, { error: 'invalid_client' }), { meaning: 'operator_fault', httpStatus: 401 }],
    ['400 unauthorized_client', replyJson(400, { error: 'unauthorized_client' }), { meaning: 'operator_fault' }],
    ['400 unsupported_grant_type', replyJson(400, { error: 'unsupported_grant_type' }), { meaning: 'operator_fault' }],
    [
      '401 with a challenge and no body',
      replyText(401, '', { 'www-authenticate': 'Basic realm="x"' }),
      { meaning: 'operator_fault' },
    ],
    ['401 without either', replyText(401, ''), { meaning: 'transient', reason: 'HTTP 401' }],
    [
      '429 with Retry-After',
      replyJson(429, { error: 'invalid_grant' }, { 'retry-after': '120' }),
      { meaning: 'rate_limited', retryAfterMs: 120_000 },
    ],
    ['429 without it', replyText(429, 'slow down'), { meaning: 'rate_limited', retryAfterMs: null }],
    ['500 invalid_grant', replyJson(500, { error: 'invalid_grant' }), { meaning: 'unknown', httpStatus: 500 }],
    ['503 with Retry-After', replyText(503, '', { 'retry-after': '7' }), { meaning: 'unknown', retryAfterMs: 7000 }],
    ['408', replyText(408, ''), { meaning: 'unknown' }],
    ['HTML of a proxy in a 200', replyText(200, '<html>Welcome</html>'), { meaning: 'unknown', httpStatus: 200 }],
    ['HTML of a proxy in a 403', replyText(403, '<html>Blocked</html>'), { meaning: 'transient', httpStatus: 403 }],
    ['a redirect', replyText(302, '', { location: 'https://login.example.com' }), { meaning: 'transient' }],
    ['an empty body', replyText(200, ''), { meaning: 'unknown' }],
    ['JSON that is no object', replyJson(200, ['invalid_grant']), { meaning: 'unknown' }],
    ['a token that is a number', replyJson(200, { ...good, access_token: 7 }), { meaning: 'unknown' }],
    ['a token with a line break', replyJson(200, { ...good, access_token: 'a\nb' }), { meaning: 'unknown' }],
    ['a refresh token that is an object', replyJson(200, { ...good, refresh_token: {} }), { meaning: 'unknown' }],
    ['a token of another kind', replyJson(200, { ...good, token_type: 'mac' }), { meaning: 'unknown' }],
    ['a token bound to a key', replyJson(200, { ...good, token_type: 'DPoP' }), { meaning: 'unknown' }],
    ['a token under a bad status', replyJson(403, good), { meaning: 'transient', httpStatus: 403 }],
    ['an empty error beside a token', replyJson(200, { ...good, error: '' }), { meaning: 'ok' }],
    ['an object as the error, in a 200', replyJson(200, { error: { code: 400 } }), { meaning: 'unknown' }],
    ['400 invalid_scope', replyJson(400, { error: 'invalid_scope' }), { meaning: 'operator_fault' }],
    ['server_error in a 200', replyJson(200, { error: 'server_error' }), { meaning: 'unknown' }],
    [
      'temporarily_unavailable in a 200',
      replyJson(200, { error: 'temporarily_unavailable' }),
      { meaning: 'unknown', reason: 'temporarily_unavailable' },
    ],
    ['invalid_request', replyJson(400, { error: 'invalid_request' }), { meaning: 'transient' }],
    ['an error that is an object', replyJson(400, { error: { code: 400 } }), { meaning: 'transient' }],
    [
      'an error code of its own',
      replyJson(400, { error: 'Sorry, hunter2' }),
      { meaning: 'transient', reason: 'HTTP 400' },
    ],
    ['ten million bytes', replyTenMegabytes, { meaning: 'unknown', reason: 'too_large', httpStatus: null }],
    ['a reset after the request', reset, { meaning: 'unknown', reason: 'network' }],
    ['a reset in the middle of the body', resetMidBody, { meaning: 'unknown', reason: 'network' }],
  ])('%s', async (_what, reply, expected) => {
    expect(await refresh(reply)).toMatchObject(expected);
  });

  // Each by hand, from what the providers document: taken from the rules, a misspelling would agree with itself.
  test.each<[string, number, Record<string, unknown>, AnswerMeaning]>([
    ['github', 200, { error: 'bad_refresh_token' }, 'definitive'],
    ['github', 200, { error: 'incorrect_client_credentials' }, 'operator_fault'],
    ['slack', 200, { ok: false, error: 'invalid_refresh_token' }, 'definitive'],
    ['slack', 200, { ok: false, error: 'token_revoked' }, 'definitive'],
    ['slack', 200, { ok: false, error: 'token_expired' }, 'definitive'],
    ['slack', 200, { ok: false, error: 'account_inactive' }, 'definitive'],
    ['slack', 200, { ok: false, error: 'bad_client_secret' }, 'operator_fault'],
    ['slack', 200, { ok: false, error: 'invalid_client_id' }, 'operator_fault'],
    ['slack', 200, { ok: false, error: 'ratelimited' }, 'rate_limited'],
    ['slack', 200, { ok: false, error: 'internal_error' }, 'unknown'],
    ['slack', 200, { ok: false, error: 'fatal_error' }, 'unknown'],
    ['slack', 200, { ok: false, error: 'service_unavailable' }, 'unknown'],
    ['hubspot', 400, { status: 'BAD_REFRESH_TOKEN' }, 'definitive'],
    ['hubspot', 502, { status: 'BAD_REFRESH_TOKEN' }, 'unknown'],
    ['hubspot', 400, { status: 'BAD_CLIENT_ID' }, 'operator_fault'],
    ['hubspot', 400, { status: 'BAD_CLIENT_SECRET' }, 'operator_fault'],
    ['zoho', 200, { error: 'invalid_code' }, 'definitive'],
    ['zoho', 200, { error: 'invalid_client_secret' }, 'operator_fault'],
    ['zoho', 400, { error: 'Access Denied' }, 'rate_limited'],
    ['microsoft', 400, { error: 'interaction_required' }, 'definitive'],
    ['microsoft', 400, { error: 'consent_required' }, 'definitive'],
  ])('of %s: %i %j', async (id, status, body, meaning) => {
    expect(await refreshAs(id, replyJson(status, body))).toMatchObject({ meaning });
  });

  test('another provider’s dialect means nothing', async () => {
    expect(await refresh(replyJson(200, { error: 'bad_refresh_token' }))).toMatchObject({ meaning: 'transient' });
  });

  test.each([
    ['no answer', hang],
    ['half an answer', hangMidBody],
  ])('%s in time is unknown, and no second request is made', async (_what, reply) => {
    const before = wire.requests.length;
    expect(await refresh(reply, 'sandbox', 250)).toMatchObject({ meaning: 'unknown', reason: 'timeout' });
    expect(wire.requests).toHaveLength(before + 1);
  });

  test('a port that nobody listens on is transient', async () => {
    const gone = await startWireProvider();
    await gone.close();
    const answer = await refreshTokens(wireUp('sandbox', gone), heldOf(), { timeoutMs: 2000, issuedAt });
    expect(answer).toMatchObject({ meaning: 'transient', reason: 'network', httpStatus: null });
  });

  test('a name that does not resolve, or resolves to a private address, is transient', async () => {
    for (const tokenUrl of ['https://no-such-host.invalid/token', 'https://10.0.0.1/token']) {
      const provider = wireUp('sandbox', wire, { tokenUrl });
      expect(await refreshTokens(provider, heldOf(), { timeoutMs: 2000, issuedAt })).toMatchObject({
        meaning: 'transient',
      });
    }
  });
});

test('no answer shows a secret', async () => {
  const [token, secret] = [canary('token'), canary('secret')];
  const held = heldOf({ refreshToken: new Secret(token) });
  for (const reply of [
    replyJson(400, { error: token, error_description: token }),
    replyText(200, `{"access_token":"${token}`),
    replyJson(500, { access_token: token }),
    resetMidBody,
  ]) {
    wire.reply = reply;
    const provider = wireUp('sandbox', wire, { clientSecret: new Secret(secret) });
    expect(renderError(await refreshTokens(provider, held, { timeoutMs: 400, issuedAt }))).not.toContain('canary');
  }
});

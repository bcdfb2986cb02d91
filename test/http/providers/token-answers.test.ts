import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
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
const good = { access_token: 'at', token_type: 'Bearer' };

async function exchange(reply: WireReply, id = 'attio', timeoutMs = 5000) {
  wire.reply = reply;
  return exchangeCode(wireUp(id, wire), {
    callback: { code: 'c', state: 's' },
    state: 's',
    redirectUri: 'https://relink.test/callback',
    codeVerifier: new Secret('v'.repeat(43)),
    timeoutMs,
    now: () => issuedAt,
  });
}

describe('a good answer', () => {
  test('without a refresh token and without an end', async () => {
    const tokens = await exchange(replyJson(200, good));
    expect(tokens).toMatchObject({ refreshToken: null, expiresAt: null, extras: {} });
    expect(tokens.accessToken.reveal()).toBe('at');
  });

  test('with a refresh token and an end, which counts from before the request', async () => {
    const tokens = await exchange(replyJson(200, { ...good, refresh_token: 'rt', expires_in: 60 }));
    expect(tokens.refreshToken?.reveal()).toBe('rt');
    expect(tokens.expiresAt).toEqual(new Date(issuedAt.getTime() + 60_000));
  });

  test('with tokens of 8 kB', async () => {
    const long = 'x'.repeat(8192);
    const tokens = await exchange(replyJson(200, { ...good, access_token: long, refresh_token: long }));
    expect(tokens.accessToken.reveal()).toBe(long);
    expect(tokens.refreshToken?.reveal()).toBe(long);
  });

  test.each([
    ['refresh_token null', { refresh_token: null }],
    ['refresh_token empty', { refresh_token: '' }],
    ['scope null', { scope: null }],
    ['scope a list', { scope: ['a', 'b'] }],
    ['an id_token nobody asked for', { id_token: 'not-a-jwt' }],
    ['error empty', { error: '' }],
    ['error null', { error: null }],
    ['token_type in capitals', { token_type: 'BEARER' }],
  ])('is not lost over %s', async (_what, fields) => {
    const tokens = await exchange(replyJson(200, { ...good, ...fields }));
    expect(tokens.accessToken.reveal()).toBe('at');
    expect(tokens.refreshToken).toBeNull();
  });

  test('is not lost over status 201 or a wrong content type', async () => {
    const text = JSON.stringify(good);
    expect((await exchange(replyJson(201, good))).accessToken.reveal()).toBe('at');
    expect((await exchange(replyText(200, text, { 'content-type': 'text/html' }))).accessToken.reveal()).toBe('at');
    expect((await exchange(replyText(200, `\ufeff${text}`))).accessToken.reveal()).toBe('at');
  });

  test.each([undefined, null, 0, -1, '', 'soon', '-3600'])(
    'falls to the provider rule when expires_in is %j',
    async value => {
      const reply = replyJson(200, { ...good, expires_in: value });
      expect((await exchange(reply, 'attio')).expiresAt).toBeNull();
      expect((await exchange(reply, 'pipedrive')).expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
    },
  );

  test('has a bounded end, however far away it claims to be', async () => {
    const tenYears = new Date(issuedAt.getTime() + 315_360_000_000);
    for (const text of ['1e999', '9999999999999', '"99999999999"'])
      expect(
        (await exchange(replyText(200, `{"access_token":"at","token_type":"bearer","expires_in":${text}}`))).expiresAt,
      ).toEqual(tenYears);
  });

  test.each(['pipedrive', 'zoho'])('of %s may give milliseconds', async id => {
    const tokens = await exchange(replyJson(200, { ...good, expires_in: 3_600_000 }), id);
    expect(tokens.expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
  });

  test('of Zoho gives seconds beside milliseconds', async () => {
    const tokens = await exchange(replyJson(200, { ...good, expires_in: 3_600_000, expires_in_sec: 3600 }), 'zoho');
    expect(tokens.expiresAt).toEqual(new Date(issuedAt.getTime() + 3_600_000));
  });
});

describe('an answer that refuses the code', () => {
  test.each([
    ['400 invalid_grant', 400, { error: 'invalid_grant', error_description: 'expired' }, 'invalid_grant'],
    ['403 invalid_grant', 403, { error: 'invalid_grant' }, 'invalid_grant'],
    ['401 invalid_grant', 401, { error: 'invalid_grant' }, 'invalid_grant'],
    ['200 with the error of Zoho', 200, { error: 'invalid_code' }, 'invalid_code'],
    [
      '200 with the error of GitHub',
      200,
      { error: 'bad_verification_code', error_uri: 'https://x' },
      'bad_verification_code',
    ],
    ['200 with an error beside a token', 200, { ...good, error: 'invalid_grant' }, 'invalid_grant'],
    ['an error that is a sentence', 400, { error: 'Code hunter2 is wrong' }, 'HTTP 400'],
    ['an error in capitals', 200, { error: 'INVALID' }, 'HTTP 200'],
  ])('%s', async (_what, status, body, detail) => {
    const error = await rejection(exchange(replyJson(status, body)));
    expect(error).toMatchObject({ code: 'exchange_refused', detail, retryable: false });
    expect(renderError(error)).not.toContain('hunter2');
  });
});

describe('an answer that rejects this product', () => {
  test.each([
    ['401 invalid_client', replyJson(401, { error: 'invalid_client' })],
    [
      '401 invalid_client with a challenge',
      replyJson(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="x"' }),
    ],
    ['401 with a Basic challenge and no JSON', replyText(401, 'no', { 'www-authenticate': 'Basic realm="x"' })],
    ['400 invalid_client', replyJson(400, { error: 'invalid_client' })],
    ['400 unauthorized_client', replyJson(400, { error: 'unauthorized_client' })],
    ['200 invalid_client (Zoho)', replyJson(200, { error: 'invalid_client' })],
    ['200 invalid_client_secret (Zoho)', replyJson(200, { error: 'invalid_client_secret' })],
    ['200 incorrect_client_credentials (GitHub)', replyJson(200, { error: 'incorrect_client_credentials' })],
  ])('%s', async (_what, reply) => {
    expect(await rejection(exchange(reply))).toMatchObject({ code: 'client_rejected', retryable: false });
  });
});

describe('an answer that is of no use', () => {
  test.each<[string, WireReply]>([
    ['500', replyJson(500, { error: 'invalid_grant' })],
    ['502 with a page', replyText(502, '<html>bad gateway</html>')],
    ['503', replyJson(503, good)],
    ['429', replyJson(429, { error: 'slow_down' }, { 'retry-after': '5' })],
    ['421, which clients may repeat', replyJson(421, {})],
    ['408, which clients may repeat', replyJson(408, {})],
    ['400 without an OAuth error', replyJson(400, { message: 'no' })],
    ['401 without a reason', replyText(401, '')],
    ['404 with a page', replyText(404, '<html></html>')],
    ['204', replyText(204, '')],
    ['200 with a page', replyText(200, '<html>login</html>', { 'content-type': 'text/html' })],
    ['200 empty', replyText(200, '')],
    ['200 garbage', replyText(200, '\u0000\u0001garbage')],
    ['200 cut short', replyText(200, '{"access_token":"at","token_t')],
    ['200 with a list', replyJson(200, [good])],
    ['200 with null', replyJson(200, null)],
    ['200 with neither token nor error', replyJson(200, {})],
    ['error as an object', replyJson(200, { error: { code: 1 } })],
    ['access_token missing', replyJson(200, { token_type: 'bearer' })],
    ['access_token empty', replyJson(200, { ...good, access_token: '' })],
    ['access_token a number', replyJson(200, { ...good, access_token: 5 })],
    ['access_token an object', replyJson(200, { ...good, access_token: {} })],
    ['access_token with a line break', replyJson(200, { ...good, access_token: 'a\r\nb: c' })],
    ['access_token beyond ASCII', replyJson(200, { ...good, access_token: 'tökén' })],
    ['access_token of 17 kB', replyJson(200, { ...good, access_token: 'x'.repeat(17_000) })],
    ['refresh_token a number', replyJson(200, { ...good, refresh_token: 5 })],
    ['refresh_token with a line break', replyJson(200, { ...good, refresh_token: 'a\nb' })],
    ['token_type missing', replyJson(200, { access_token: 'at' })],
    ['token_type that needs more than the token', replyJson(200, { ...good, token_type: 'DPoP' })],
    ['token_type unknown', replyJson(200, { ...good, token_type: 'mac' })],
    ['10 MB', replyTenMegabytes],
    ['a reset after the request was read', reset],
    ['a reset in the middle of the body', resetMidBody],
  ])('%s: exchange_failed after one request', async (_what, reply) => {
    const before = wire.requests.length;
    const error = await rejection(exchange(reply));
    expect(error).toMatchObject({ code: 'exchange_failed', retryable: false });
    expect(wire.requests).toHaveLength(before + 1);
  });

  test('a number where the api_domain belongs', async () => {
    const error = await rejection(exchange(replyJson(200, { ...good, api_domain: 5 }), 'pipedrive'));
    expect(error).toMatchObject({ code: 'exchange_failed', detail: 'api_domain is malformed' });
  });

  test('nobody listens', async () => {
    const gone = await startWireProvider();
    const provider = wireUp('attio', gone);
    await gone.close();
    const error = await rejection(
      exchangeCode(provider, {
        callback: { code: 'c', state: 's' },
        state: 's',
        redirectUri: 'https://relink.test/callback',
        codeVerifier: new Secret('v'.repeat(43)),
      }),
    );
    expect(error.code).toBe('exchange_failed');
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('%d is not followed', async status => {
    const elsewhere = await startWireProvider(replyJson(200, good));
    try {
      const error = await rejection(exchange(replyText(status, '', { location: `${elsewhere.origin}/token` })));
      expect(error).toMatchObject({ code: 'exchange_failed', detail: `HTTP ${status}` });
      expect(elsewhere.connections).toBe(0);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('a timeout', () => {
  test.each<[string, WireReply]>([
    ['before the answer', hang],
    ['in the middle of the body', hangMidBody],
    [
      'while the body drips',
      response => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
    ],
  ])('%s ends the exchange in time, after one request', async (_when, reply) => {
    const before = wire.requests.length;
    const started = performance.now();
    const error = await rejection(exchange(reply, 'attio', 250));
    expect(error).toMatchObject({ code: 'exchange_timed_out', retryable: false });
    expect(performance.now() - started).toBeLessThan(3000);
    expect(wire.requests).toHaveLength(before + 1);
  });
});

describe('secrets', () => {
  const code = canary('code');
  const verifier = canary('verifier').padEnd(43, 'v');
  const secret = canary('secret');
  const token = canary('token');
  const refresh = canary('refresh');
  const body = { access_token: token, refresh_token: refresh };

  test.each<[string, WireReply]>([
    ['refused', replyJson(400, { ...body, error: 'invalid_grant', error_description: token })],
    ['refused with a sentence', replyJson(400, { error: `code ${code} of ${secret}` })],
    [
      'client rejected',
      replyJson(401, { ...body, error: 'invalid_client' }, { 'www-authenticate': `Basic realm="${secret}"` }),
    ],
    ['failed', replyJson(500, body)],
    ['of a wrong kind', replyJson(200, { ...body, token_type: token })],
    ['with a broken token', replyJson(200, { ...body, token_type: 'bearer', refresh_token: `${refresh}\n` })],
    ['with a broken extra', replyJson(200, { ...body, token_type: 'bearer', api_domain: { token } })],
    ['with a stranger as host', replyJson(200, { ...body, token_type: 'bearer', api_domain: `https://${token}.test` })],
    ['cut short', replyText(200, `{"access_token":"${token}`)],
    ['reset', reset],
    ['reset in the middle', resetMidBody],
    ['too large', replyTenMegabytes],
    ['hanging', hangMidBody],
  ])('are in no error when the answer is %s', async (_what, reply) => {
    for (const id of ['zoho', 'pipedrive']) {
      wire.reply = reply;
      const error = await rejection(
        exchangeCode(wireUp(id, wire, { clientSecret: new Secret(secret) }), {
          callback: { code, state: 's' },
          state: 's',
          redirectUri: 'https://relink.test/callback',
          codeVerifier: new Secret(verifier),
          timeoutMs: 400,
        }),
      );
      const seen = renderError(error);
      for (const value of [code, verifier, secret, token, refresh]) expect(seen).not.toContain(value);
      expect(seen).not.toContain('canary');
    }
  });
});

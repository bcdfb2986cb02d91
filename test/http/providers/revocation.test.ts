import type { TokenSet } from '../../../src/providers/definition.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { revokeGrant } from '../../../src/providers/revoke-grant.js';
import { Secret } from '../../../src/vault/secret.js';
import {
  hang,
  replyJson,
  replyTenMegabytes,
  replyText,
  reset,
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

const tokens: TokenSet = { accessToken: new Secret('at'), refreshToken: new Secret('rt'), expiresAt: null, extras: {} };
const revoke = (reply: WireReply, { id = 'attio', held = tokens, timeoutMs = 2000 } = {}) => {
  wire.reply = reply;
  const provider = wireUp(id, wire, { revocationUrl: `${wire.origin}/revoke` });
  return revokeGrant(provider, held, { timeoutMs, now: () => new Date('2026-11-24T00:00:00Z') });
};

describe('the request', () => {
  test.each([
    ['attio', { client_id: 'wire client', client_secret: 'wire/secret:1' }, undefined],
    ['pipedrive', {}, `Basic ${Buffer.from('wire+client:wire%2Fsecret%3A1').toString('base64')}`],
  ])('%s: RFC 7009, with the refresh token where one is held', async (id, client, authorization) => {
    expect(await revoke(replyText(200, ''), { id })).toEqual({ kind: 'revoked' });
    const request = wire.requests.at(-1);
    expect(request).toMatchObject({ method: 'POST', path: '/revoke' });
    expect(request?.headers.authorization).toBe(authorization);
    const form = { token: 'rt', token_type_hint: 'refresh_token', ...client };
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual(form);
    await revoke(replyText(200, ''), { id, held: { ...tokens, refreshToken: null } });
    expect(Object.fromEntries(new URLSearchParams(wire.requests.at(-1)?.body))).toEqual({
      ...form,
      token: 'at',
      token_type_hint: 'access_token',
    });
  });

  test("Zoho's form: the token in the query, at the accounts server of its region or nowhere", async () => {
    await revoke(replyJson(200, { status: 'success' }), { id: 'zoho' });
    expect(wire.requests.at(-1)).toMatchObject({ method: 'POST', path: '/revoke?token=rt', body: '' });
    const held = { ...tokens, extras: { 'accounts-server': 'https://accounts.evil.test' } };
    const before = wire.requests.length;
    expect(await rejection(revoke(replyText(200, ''), { id: 'zoho', held }))).toMatchObject({
      code: 'host_not_allowed',
    });
    expect(wire.requests).toHaveLength(before);
  });

  test('none is made for keys, without an address, or where only the token endpoint was pointed elsewhere', async () => {
    const before = wire.requests.length;
    const key = { ...tokens, refreshToken: null, key: { kind: 'api_key' as const } };
    expect(await revoke(replyText(200, ''), { held: key })).toEqual({ kind: 'not_offered' });
    expect(await revokeGrant(wireUp('sandbox', wire), tokens)).toEqual({ kind: 'not_offered' });
    expect(await revokeGrant(wireUp('attio', wire), tokens)).toEqual({ kind: 'not_offered' });
    expect(wire.requests).toHaveLength(before);
  });
});

test.each<[string, WireReply, object]>([
  ['200', replyText(200, ''), { kind: 'revoked' }],
  ['204', replyText(204, ''), { kind: 'revoked' }],
  ['a token that is none any more', replyJson(400, { error: 'invalid_token' }), { kind: 'revoked' }],
  ['the same in a 401', replyJson(401, { error: 'invalid_grant' }), { kind: 'revoked' }],
  ['invalid_client', replyJson(401, { error: 'invalid_client' }), { kind: 'client_rejected', httpStatus: 401 }],
  [
    'invalid_client in a 400',
    replyJson(400, { error: 'invalid_client' }),
    { kind: 'client_rejected', httpStatus: 400 },
  ],
  [
    '429 under the name of an end',
    replyJson(429, { error: 'invalid_token' }),
    { kind: 'unavailable', reason: 'HTTP 429', retryAfterMs: null },
  ],
  [
    '401 with a challenge to this product',
    replyText(401, '', { 'www-authenticate': 'Basic realm="x"' }),
    { kind: 'client_rejected', httpStatus: 401 },
  ],
  ['401 without a word', replyText(401, ''), { kind: 'refused', httpStatus: 401 }],
  ['404', replyText(404, ''), { kind: 'refused', httpStatus: 404 }],
  ['400', replyJson(400, { error: 'unsupported_token_type' }), { kind: 'refused', httpStatus: 400 }],
  ['a redirect', replyText(302, '', { location: 'http://127.0.0.1:9/' }), { kind: 'refused', httpStatus: 302 }],
  ['503', replyText(503, ''), { kind: 'unavailable', reason: 'HTTP 503', retryAfterMs: null }],
  ['429', replyText(429, '', { 'retry-after': '7' }), { kind: 'unavailable', reason: 'HTTP 429', retryAfterMs: 7000 }],
  ['a reset', reset, { kind: 'unavailable', reason: 'network', retryAfterMs: null }],
  ['10 MB', replyTenMegabytes, { kind: 'unavailable', reason: 'too_large', retryAfterMs: null }],
])('%s', async (_name, reply, answer) => {
  expect(await revoke(reply)).toEqual(answer);
});

test.each<[string, object, object]>([
  ['a wrong secret', { error: 'invalid_client_secret' }, { kind: 'client_rejected', httpStatus: 200 }],
  ['a grant that is none any more', { error: 'invalid_code' }, { kind: 'revoked' }],
  ['any other error', { error: 'general_error' }, { kind: 'refused', httpStatus: 200 }],
])('%s, said in a 200 and in the words of Zoho', async (_name, body, answer) => {
  expect(await revoke(replyJson(200, body), { id: 'zoho' })).toEqual(answer);
});

test('a hang ends at the timeout', async () => {
  expect(await revoke(hang, { timeoutMs: 200 })).toMatchObject({ kind: 'unavailable', reason: 'timeout' });
});

test('no token in what goes wrong', async () => {
  const secret = canary('token');
  const held = { ...tokens, refreshToken: new Secret(secret), extras: { 'accounts-server': 'https://evil.test' } };
  expect(renderError(await rejection(revoke(reset, { id: 'zoho', held })))).not.toContain(secret);
});

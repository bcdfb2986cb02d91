import { identifyAccount } from '../../../src/providers/identify-account.js';
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

const now = () => new Date('2026-01-01T00:00:00.000Z');
const tokens = { accessToken: new Secret('at'), refreshToken: null, expiresAt: null, extras: {} };
const identify = (id: string, reply: WireReply, timeoutMs = 5000) => {
  wire.reply = reply;
  return identifyAccount(wireUp(id, wire), tokens, { timeoutMs, now });
};

const answers = {
  attio: { active: true, workspace_id: 'ws-1', workspace_name: 'Acme', scope: 'x' },
  pipedrive: { success: true, data: { id: 777, name: 'Bond', company_id: 12, company_name: 'Acme' } },
  zoho: { org: [{ id: '4150868000000225013', company_name: 'Acme', zgid: '1' }] },
  sandbox: { account_id: 'acct_acme', account_name: 'Acme', user_id: 'user_1', user_name: 'Owner' },
};

describe('the request', () => {
  test.each([
    ['attio', 'Bearer at'],
    ['pipedrive', 'Bearer at'],
    ['zoho', 'Zoho-oauthtoken at'],
    ['sandbox', 'Bearer at'],
  ])('%s: one GET with %s', async (id, authorization) => {
    const before = wire.requests.length;
    await identify(id, replyJson(200, {}));
    expect(wire.requests).toHaveLength(before + 1);
    expect(wire.requests.at(-1)).toMatchObject({
      method: 'GET',
      path: '/identity',
      body: '',
      headers: { authorization, accept: 'application/json', 'user-agent': 'relink', 'accept-encoding': 'identity' },
    });
  });

  test('uses one connection again', async () => {
    await identify('attio', replyJson(200, answers.attio));
    const before = wire.connections;
    for (let call = 0; call < 5; call += 1) await identify('attio', replyJson(200, answers.attio));
    expect(wire.connections).toBe(before);
  });
});

describe('an account', () => {
  test.each([
    ['attio', answers.attio, { entityExternalId: 'ws-1', credentialExternalId: 'ws-1' }],
    ['pipedrive', answers.pipedrive, { entityExternalId: '12', credentialExternalId: '12:777' }],
    ['zoho', answers.zoho, { entityExternalId: '4150868000000225013', credentialExternalId: '4150868000000225013' }],
    ['sandbox', answers.sandbox, { entityExternalId: 'acct_acme', credentialExternalId: 'acct_acme:user_1' }],
  ])('of %s', async (id, body, ids) => {
    const answer = await identify(id, replyJson(200, body));
    expect(answer).toEqual({ kind: 'ok', identity: { ...ids, accountName: 'Acme' } });
  });

  test('needs no name', async () => {
    for (const name of [null, undefined, '', 5]) {
      const answer = await identify('attio', replyJson(200, { workspace_id: 'ws-1', workspace_name: name }));
      expect(answer).toMatchObject({ kind: 'ok', identity: { accountName: null } });
    }
  });

  test('two companies of one Pipedrive user are two credentials', async () => {
    const other = { ...answers.pipedrive, data: { ...answers.pipedrive.data, company_id: 13 } };
    const first = await identify('pipedrive', replyJson(200, answers.pipedrive));
    const second = await identify('pipedrive', replyJson(200, other));
    expect(first).toMatchObject({ identity: { credentialExternalId: '12:777' } });
    expect(second).toMatchObject({ identity: { credentialExternalId: '13:777' } });
  });
});

describe('a 200 that names no account', () => {
  test.each([
    ['attio', {}],
    ['attio', []],
    ['attio', null],
    ['attio', { workspace_id: '' }],
    ['attio', { workspace_id: { id: 1 } }],
    ['attio', { workspace_id: 'x'.repeat(201) }],
    ['pipedrive', { success: true, data: null }],
    ['pipedrive', { success: true, data: { id: 777 } }],
    ['pipedrive', { success: true, data: { id: 777.5, company_id: 12 } }],
    ['pipedrive', { success: true, data: { id: 2 ** 53, company_id: 12 } }],
    ['zoho', { org: [] }],
    ['zoho', { status: 'error', code: 'NO_PERMISSION' }],
    ['sandbox', { account_id: 'acct_acme' }],
  ])('%s: %j', async (id, body) => {
    expect(await identify(id, replyJson(200, body))).toEqual({ kind: 'unusable' });
  });
});

describe('a refusal of the token', () => {
  test.each(['attio', 'pipedrive', 'zoho', 'sandbox'])('401 at %s', async id => {
    for (const reply of [replyJson(401, { error: 'x' }), replyText(401, ''), replyText(401, '<html></html>')])
      expect(await identify(id, reply)).toEqual({ kind: 'refused', httpStatus: 401 });
  });

  test('200 "inactive" at Attio', async () => {
    expect(await identify('attio', replyJson(200, { active: false }))).toEqual({ kind: 'refused', httpStatus: 200 });
  });

  test('INVALID_TOKEN at Zoho, with 401 and with 200', async () => {
    const body = { code: 'INVALID_TOKEN', status: 'error' };
    expect(await identify('zoho', replyJson(401, body))).toEqual({ kind: 'refused', httpStatus: 401 });
    expect(await identify('zoho', replyJson(200, body))).toEqual({ kind: 'refused', httpStatus: 200 });
  });
});

describe('what says nothing about the token', () => {
  test('a missing scope, which Zoho answers as 401', async () => {
    const answer = await identify('zoho', replyJson(401, { code: 'OAUTH_SCOPE_MISMATCH', status: 'error' }));
    expect(answer).toEqual({ kind: 'unavailable', httpStatus: 401, reason: 'refused_otherwise' });
  });

  test.each<[string, WireReply, number | null, string]>([
    ['400', replyJson(400, {}), 400, 'refused_otherwise'],
    ['403', replyJson(403, { error: 'invalid_token' }), 403, 'refused_otherwise'],
    ['404', replyText(404, ''), 404, 'refused_otherwise'],
    ['408', replyText(408, ''), 408, 'timeout'],
    ['421', replyText(421, ''), 421, 'refused_otherwise'],
    ['500', replyJson(500, { active: false }), 500, 'server_error'],
    ['502', replyText(502, '<html></html>'), 502, 'server_error'],
    ['503', replyJson(503, answers.attio, { 'retry-after': '5' }), 503, 'server_error'],
    ['204', replyText(204, ''), 204, 'unusable_answer'],
    ['200 with a page', replyText(200, '<html>maintenance</html>'), 200, 'unusable_answer'],
    ['200 cut short', replyText(200, '{"workspace_id":"ws-'), 200, 'unusable_answer'],
    ['10 MB', replyTenMegabytes, null, 'unusable_answer'],
    ['a reset', reset, null, 'network'],
    ['a reset in the middle of the body', resetMidBody, null, 'network'],
  ])('%s', async (_what, reply, httpStatus, reason) => {
    const before = wire.requests.length;
    expect(await identify('attio', reply)).toEqual({ kind: 'unavailable', httpStatus, reason });
    expect(wire.requests).toHaveLength(before + 1);
  });

  test.each<[string, WireReply]>([
    ['before the answer', hang],
    ['in the middle of the body', hangMidBody],
    [
      'in the middle of a refusal',
      response => {
        response.writeHead(401);
        response.write('{');
      },
    ],
  ])('a timeout %s', async (_when, reply) => {
    expect(await identify('attio', reply, 250)).toEqual({ kind: 'unavailable', httpStatus: null, reason: 'timeout' });
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d), which is not followed', async status => {
    const elsewhere = await startWireProvider(replyJson(200, answers.attio));
    try {
      const answer = await identify('attio', replyText(status, '', { location: `${elsewhere.origin}/identity` }));
      expect(answer).toEqual({ kind: 'unavailable', httpStatus: status, reason: 'unusable_answer' });
      expect(elsewhere.connections).toBe(0);
    } finally {
      await elsewhere.close();
    }
  });
});

describe('429', () => {
  test.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after': '30' }, 30_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT' }, 120_000],
    [{ 'retry-after': '99999999' }, 86_400_000],
    [{ 'retry-after': 'later' }, null],
  ])('with %j', async (headers, retryAfterMs) => {
    const answer = await identify('attio', replyJson(429, {}, headers));
    expect(answer).toEqual({ kind: 'rate_limited', httpStatus: 429, retryAfterMs });
  });
});

describe('a caller that gives up', () => {
  test('gets its own reason back, before and during the request', async () => {
    const reason = new Error('cancelled');
    const early = identifyAccount(wireUp('attio', wire), tokens, { signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toBe(reason);

    const controller = new AbortController();
    wire.reply = () => controller.abort(reason);
    const late = identifyAccount(wireUp('attio', wire), tokens, { signal: controller.signal });
    await expect(late).rejects.toBe(reason);
  });
});

describe('addresses', () => {
  test('this machine is out of reach unless insecure is allowed, by address and by name', async () => {
    // A provider of its own: what the tests before gave up on may still be connecting to theirs.
    const untouched = await startWireProvider();
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      const provider = wireUp('attio', untouched, {
        authorizationUrl: undefined,
        tokenUrl: undefined,
        identityUrl: `https://${host}:${new URL(untouched.origin).port}/identity`,
        allowInsecure: false,
      });
      expect(await identifyAccount(provider, tokens)).toEqual({
        kind: 'unavailable',
        httpStatus: null,
        reason: 'network',
      });
    }
    expect(untouched.connections).toBe(0);
    await untouched.close();
  });

  test('a name that resolves to this machine works where insecure is allowed', async () => {
    wire.reply = replyJson(200, answers.attio);
    const provider = wireUp('attio', wire, { identityUrl: `http://localhost:${new URL(wire.origin).port}/identity` });
    expect(await identifyAccount(provider, tokens)).toMatchObject({ kind: 'ok' });
  });
});

test('no token in what a caller sees', async () => {
  const secret = canary('token');
  const provider = wireUp('zoho', wire);
  const marked = { ...tokens, accessToken: new Secret(secret), extras: { api_domain: `https://${secret}.test` } };
  expect(renderError(await rejection(identifyAccount(provider, marked)))).not.toContain(secret);
  wire.reply = replyJson(403, { message: secret });
  const answer = await identifyAccount(provider, { ...marked, extras: {} });
  expect(renderError(answer)).not.toContain(secret);
});

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialId, EntityId, ExternalId, ProviderId } from '../../../src/domain/ids.js';
import { createCredentialRefresher } from '../../../src/credentials/create-credential-refresher.js';
import { RelinkError } from '../../../src/errors.js';
import { HandlerClock } from '../../../src/handlers/handler-clock.js';
import { createLivingConnections } from '../../../src/handlers/living-connections.js';
import { createRefusalMemory } from '../../../src/handlers/create-refusal-memory.js';
import { requestProvider } from '../../../src/handlers/request-provider.js';
import { createCredentialTester, type TestOutcome } from '../../../src/credentials/create-credential-tester.js';
import { newId } from '../../../src/ids.js';
import type { ProviderRequest } from '../../../src/integrations/handler-context.js';
import type { Provider, ProviderSettings } from '../../../src/providers/configure-provider.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { serialiseTokenSet } from '../../../src/providers/token-set-codec.js';
import { createPostgresStore } from '../../../src/store/postgres/create-postgres-store.js';
import type { Integration, Store } from '../../../src/store/port/store.js';
import type { RefreshAnswer } from '../../../src/temporal/workflow-starter.js';
import { credentialTokensBinding } from '../../../src/vault/bindings.js';
import { parseKeyRing } from '../../../src/vault/parse-key-ring.js';
import { Secret } from '../../../src/vault/secret.js';
import { createVault } from '../../../src/vault/vault.js';
import { grantOf, insertIntegration, newExternalId, newUser, noon } from '../../contract/fixtures.js';
import { createTestDatabase, type TestDatabase } from '../../support/create-test-database.js';
import {
  hang,
  replyJson,
  replyText,
  reset,
  startWireProvider,
  type WireProvider,
  type WireReply,
} from '../../support/wire-provider.js';
import { canary, rejection, renderError, wireUp } from '../../support/wire-settings.js';

const vault = createVault(parseKeyRing(new Secret(`k1:${randomBytes(32).toString('base64')}`)));

let database: TestDatabase;
let store: Store;
let wire: WireProvider;
let stranger: WireProvider;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresStore({ databaseUrl: database.url, poolSize: 2 });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  [wire, stranger] = await Promise.all([startWireProvider(replyJson(200, { ok: true })), startWireProvider()]);
});
afterEach(async () => {
  await Promise.all([wire.close(), stranger.close()]);
  await closeProviderConnections();
});

interface Scene {
  readonly integration: Integration;
  readonly credentialId: CredentialId;
  readonly entityId: EntityId;
  readonly token: string;
  /** How often a test was started. */
  readonly tests: { count: number };
  /** How often a refresh was run. */
  readonly refreshes: { count: number };
  request(wanted: ProviderRequest, signal?: AbortSignal, clock?: HandlerClock): ReturnType<typeof requestProvider>;
  /** Writes a new grant over the old one. */
  renew(token: string): Promise<void>;
  kill(): Promise<void>;
}

interface SceneOptions {
  readonly provider?: string;
  readonly settings?: Partial<ProviderSettings>;
  readonly extras?: Record<string, string>;
  readonly outcome?: TestOutcome;
  readonly onTest?: () => Promise<void>;
  /** Of a credential with a refresh token: what the run of its refresh ends with, when it stores no new token. */
  readonly refresh?: 'refreshed' | RefreshAnswer;
  readonly expiresAt?: Date;
  readonly refreshDueAt?: Date;
  /** Of the token that a refresh brings. */
  readonly freshExpiresAt?: Date;
  readonly now?: () => number;
}

async function setScene(options: SceneOptions = {}): Promise<Scene> {
  const { provider: name = 'sandbox', settings = {}, extras = {}, outcome = 'ok', onTest, now = Date.now } = options;
  const refreshable = options.refresh !== undefined;
  const provider: Provider = wireUp(name, wire, settings);
  const userId = newUser();
  const credentialId = newId('credential');
  const token = canary('token');
  const seal = (text: string) =>
    vault.seal(
      serialiseTokenSet({ accessToken: new Secret(text), refreshToken: null, expiresAt: null, extras }),
      credentialTokensBinding(credentialId),
    );
  const key = { id: credentialId, userId, provider: provider.id, externalId: newExternalId() };
  const { expiresAt = null, refreshDueAt = null } = options;
  const times = { refreshable, expiresAt, refreshDueAt };
  await store.insertCredential(key, grantOf(1, { sealedTokens: seal(token), ...times }), noon);
  const entity = await store.upsertEntity(
    { ...key, id: newId('entity'), name: null, credentialId, grantSequence: 1, externalId: newExternalId() },
    noon,
  );
  const integration = await insertIntegration(store, userId, [entity.id]);
  const tests = { count: 0 };
  const tester = createCredentialTester(
    {
      async runCredentialTest() {
        tests.count += 1;
        await onTest?.();
        return outcome;
      },
    },
    [],
  );
  const refreshes = { count: 0 };
  const runRefresh = async (target: { readonly generation: number }): Promise<RefreshAnswer> => {
    refreshes.count += 1;
    if (options.refresh !== 'refreshed') return options.refresh ?? { outcome: 'not_refreshable' };
    const { freshExpiresAt = null } = options;
    const fresh = { sealedTokens: seal(`${token}-fresh`), refreshable, expiresAt: freshExpiresAt, refreshDueAt: null };
    const stored = await store.compareAndSetTokens(credentialId, target.generation, fresh, noon);
    return { outcome: 'refreshed', generation: stored?.generation ?? 0 };
  };
  const dependencies = {
    connections: createLivingConnections({ store, vault }, now),
    providers: { get: () => provider, list: () => [provider] },
    refresher: createCredentialRefresher({ store, workflows: { runRefresh } }),
    tester,
    refusals: createRefusalMemory(now),
    now,
  };
  return {
    refreshes,
    integration,
    credentialId,
    entityId: entity.id,
    token,
    tests,
    request: (wanted, signal = new AbortController().signal, clock) =>
      requestProvider({ ...dependencies, clock }, integration, wanted, signal),
    async renew(text) {
      const row = await store.getCredential(credentialId);
      const grant = grantOf((row?.grantSequence ?? 0) + 1, { sealedTokens: seal(text) });
      expect(await store.replaceGrant(credentialId, row?.epoch ?? 0, grant, noon)).not.toBeNull();
    },
    async kill() {
      const row = await store.getCredential(credentialId);
      const verdict = { code: 'credential_refused', httpStatus: 401, since: noon } as const;
      await store.markCredentialInvalid(credentialId, row?.epoch ?? 0, verdict, noon);
    },
  };
}

describe('the request', () => {
  it('carries the token, and is answered with status, headers and text', async () => {
    const scene = await setScene();
    wire.reply = replyText(418, 'tea', { 'x-one': '1', 'set-cookie': 'a=b' });
    const answer = await scene.request({ url: '/v1/things?page=2' });
    expect(answer).toMatchObject({ status: 418, text: 'tea', headers: { 'x-one': '1' } });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(wire.requests).toMatchObject([
      { method: 'GET', path: '/v1/things?page=2', headers: { authorization: `Bearer ${scene.token}` } },
    ]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('sends %s with JSON', async method => {
    const { request } = await setScene();
    await request({ url: '/things', method, json: { a: 'ä' }, headers: { 'X-Mine': 'yes' } });
    expect(wire.requests).toMatchObject([
      { method, body: '{"a":"ä"}', headers: { 'content-type': 'application/json', 'x-mine': 'yes' } },
    ]);
  });

  it('sends other bodies as they are', async () => {
    const { request } = await setScene();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    await request({ url: '/', method: 'POST', body: 'a=b', headers });
    expect(wire.requests).toMatchObject([{ body: 'a=b', headers: { 'content-type': headers['Content-Type'] } }]);
  });

  it('leaves the headers that are ours to us', async () => {
    const scene = await setScene();
    const headers = { Authorization: 'Bearer other', Host: 'evil.test', Expect: '100-continue', Connection: 'close' };
    await scene.request({ url: '/', headers });
    expect(wire.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${scene.token}`, host: wire.host });
  });

  const malformed: ProviderRequest[] = [
    { url: '/', headers: { 'a b': 'c' } },
    { url: '/', headers: { a: 'b\r\nc: d' } },
    { url: '/', method: 'POST', json: {}, body: '' },
  ];
  it.each(malformed)('%j is refused', async wanted => {
    const { request } = await setScene();
    expect(await rejection(request(wanted))).toMatchObject({ code: 'invalid_request' });
    expect(wire.connections).toBe(0);
  });

  it('that is answered 429 ends with the time to wait', async () => {
    const { request, tests } = await setScene();
    wire.reply = replyText(429, '', { 'retry-after': '7' });
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
    wire.reply = replyText(429, '');
    expect((await rejection(request({ url: '/' }))).retryAfterMs).toBeUndefined();
    expect(tests.count).toBe(0);
  });

  it('is made once more after a reset, where twice is as good as once', async () => {
    const { request } = await setScene();
    const resetOnce = () => {
      const before = wire.requests.length;
      wire.reply = (response, seen) =>
        (wire.requests.length === before + 1 ? reset : replyJson(200, {}))(response, seen);
    };
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      resetOnce();
      expect(await request({ url: '/', method })).toMatchObject({ status: 200 });
    }
    for (const method of ['POST', 'PATCH'] as const) {
      const before = wire.requests.length;
      resetOnce();
      expect(await rejection(request({ url: '/', method, json: {} }))).toMatchObject({ code: 'provider_unavailable' });
      expect(wire.requests).toHaveLength(before + 1);
    }
  });

  it.each([
    ['hangs', hang, 'timeout'],
    ['resets', reset, 'network'],
    ['answers without end', replyText(200, 'x'.repeat(11 * 1024 * 1024)), 'too_large'],
  ])('of a provider that %s is unavailable, without the token', async (_, reply, reason) => {
    const scene = await setScene();
    wire.reply = reply;
    const error = await rejection(scene.request({ url: '/?secret=1', timeoutMs: 2_000 }));
    expect(error).toMatchObject({ code: 'provider_unavailable', retryable: true, detail: `sandbox: ${reason}` });
    expect(renderError(error)).not.toContain(scene.token);
  });

  it('ends with its signal', async () => {
    const { request } = await setScene();
    wire.reply = hang;
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stop')), 100);
    await expect(request({ url: '/' }, controller.signal)).rejects.toThrow('stop');
  });
});

describe('where the token goes', () => {
  it.each([
    () => `${stranger.origin}/`,
    () => `//${stranger.host}/`,
    () => `https://user@${wire.host}/`,
    () => 'https://example.com/',
    () => 'things',
    () => '',
    () => 'file:///etc/passwd',
    () => `\\\\${stranger.host}`,
  ])('not to %s', async make => {
    const { request } = await setScene();
    expect(await rejection(request({ url: make() }))).toMatchObject({ code: 'host_not_allowed' });
    expect([wire.connections, stranger.connections]).toEqual([0, 0]);
  });

  it.each(['/\\evil.test/', '/@evil.test/', '/..//evil.test/'])('a path stays at the provider: %s', async url => {
    const { request } = await setScene();
    await request({ url });
    expect(wire.requests).toHaveLength(1);
  });

  it('not after a redirect', async () => {
    const { request } = await setScene();
    wire.reply = replyText(302, '', { location: `${stranger.origin}/` });
    expect(await request({ url: '/' })).toMatchObject({ status: 302 });
    expect(stranger.connections).toBe(0);
  });

  it('to a full address on its own host, and on hosts that configuration names', async () => {
    await (await setScene()).request({ url: `${wire.origin}/next?page=2` });
    expect(wire.requests).toMatchObject([{ path: '/next?page=2' }]);
    await (await setScene({ settings: { hosts: [stranger.host] } })).request({ url: `${stranger.origin}/files` });
    expect(stranger.requests).toHaveLength(1);
  });

  it('to the configured API, below its path', async () => {
    const { request } = await setScene({ settings: { apiUrl: `${stranger.origin}/api/v3/` } });
    await request({ url: '/things' });
    expect(stranger.requests).toMatchObject([{ path: '/api/v3/things' }]);
    expect(await rejection(request({ url: '/../../admin' }))).toMatchObject({ code: 'host_not_allowed' });
    expect(await rejection(request({ url: `${wire.origin}/` }))).toMatchObject({ code: 'host_not_allowed' });
    expect(wire.connections).toBe(0);
  });

  it.each(['pipedrive', 'zoho'])(
    'to the API host of the account (%s), where configuration names it',
    async provider => {
      const extras = { api_domain: stranger.origin };
      const { request, token } = await setScene({ provider, extras, settings: { hosts: [stranger.host] } });
      await request({ url: '/deals' });
      const scheme = provider === 'zoho' ? 'Zoho-oauthtoken' : 'Bearer';
      expect(stranger.requests).toMatchObject([{ path: '/deals', headers: { authorization: `${scheme} ${token}` } }]);
      const other = await setScene({ provider, extras });
      expect(await rejection(other.request({ url: '/deals' }))).toMatchObject({ code: 'host_not_allowed' });
    },
  );

  it('only for an entity of the integration', async () => {
    const scene = await setScene();
    const other = await setScene();
    expect(await rejection(scene.request({ url: '/', entityId: other.entityId }))).toMatchObject({
      code: 'entity_not_usable',
    });
    const { userId } = scene.integration;
    const second = await store.upsertEntity(
      {
        id: newId('entity'),
        userId,
        provider: 'sandbox' as ProviderId,
        externalId: 'second' as ExternalId,
        name: null,
        credentialId: scene.credentialId,
        grantSequence: 1,
      },
      noon,
    );
    const both = await insertIntegration(store, userId, [scene.entityId, second.id].sort());
    const provider = wireUp('sandbox', wire);
    const dependencies = {
      connections: createLivingConnections({ store, vault }),
      providers: { get: () => provider, list: () => [provider] },
      refresher: { refresh: () => Promise.resolve({ kind: 'not_refreshable' as const }) },
      tester: { test: () => Promise.resolve(null) },
      refusals: createRefusalMemory(),
    };
    const { signal } = new AbortController();
    expect(await rejection(requestProvider(dependencies, both, { url: '/' }, signal))).toMatchObject({
      code: 'entity_not_usable',
      detail: 'name one of several',
    });
    await requestProvider(dependencies, both, { url: '/', entityId: second.id }, signal);
    expect(wire.requests).toHaveLength(1);
  });
});

describe('a 401', () => {
  const refuse = replyJson(401, { error: 'invalid_token' });

  it('of a credential that the test finds dead ends the call, once for all who met it', async () => {
    let release = () => undefined as void;
    const gate = new Promise<void>(resolve => (release = resolve));
    const scene = await setScene({ outcome: 'refused', onTest: () => gate });
    wire.reply = refuse;
    const calls = Array.from({ length: 20 }, () => rejection(scene.request({ url: '/' })));
    while (wire.requests.length < 20) await new Promise(resolve => setTimeout(resolve, 5));
    release();
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({ code: 'credential_dead', detail: scene.credentialId });
    }
    expect(scene.tests.count).toBe(1);
  });

  it('that was a stray one does not reach the handlers: each call is made once more', async () => {
    const { request, tests, token } = await setScene({ outcome: 'ok' });
    const seen = new Set<string>();
    wire.reply = (response, given) => {
      const isFirst = !seen.has(given.path);
      seen.add(given.path);
      (isFirst ? refuse : replyJson(200, {}))(response, given);
    };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => request({ url: `/${n}`, method: 'POST', json: { n } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(wire.requests).toHaveLength(20);
    expect(new Set(wire.requests.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${token}`]));
    expect(tests.count).toBe(1);
  });

  it('stops the clock of its handler while the credential is tested, and only then', async () => {
    const scene = await setScene({ outcome: 'refused', onTest: () => sleep(400) });
    wire.reply = refuse;
    const clock = new HandlerClock();
    const over = jest.fn();
    clock.start(300, over);
    expect(await rejection(scene.request({ url: '/' }, undefined, clock))).toMatchObject({ code: 'credential_dead' });
    expect(over).not.toHaveBeenCalled();
    await sleep(350);
    expect(over).toHaveBeenCalledTimes(1);
  });

  it('of one that passes is the answer when it comes again, and is neither tested nor repeated for each call', async () => {
    let now = Date.now();
    const { request, tests } = await setScene({ outcome: 'ok', now: () => now });
    wire.reply = refuse;
    for (let call = 0; call < 3; call += 1) expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(tests.count).toBe(1);
    expect(wire.requests).toHaveLength(4);
    now += 31_000;
    expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(wire.requests).toHaveLength(6);
  });

  it.each(['unreachable', null] as const)('of one whose test ended with %s is retried later', async outcome => {
    const { request, tests } = await setScene({ outcome });
    wire.reply = refuse;
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'provider_unavailable', retryable: true });
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'provider_unavailable' });
    expect(tests.count).toBe(2);
  });

  it('of a credential that is gone is a dead one', async () => {
    const { request } = await setScene({ outcome: 'gone' });
    wire.reply = refuse;
    expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
  });

  it('of a token that was replaced meanwhile is repeated with the new one', async () => {
    const scene = await setScene({ outcome: 'refused' });
    const fresh = canary('fresh');
    wire.reply = (response, request) => {
      if (request.headers.authorization === `Bearer ${fresh}`) replyJson(200, {})(response, request);
      else void scene.renew(fresh).then(() => refuse(response, request));
    };
    expect(await scene.request({ url: '/', method: 'POST', json: { n: 1 } })).toMatchObject({ status: 200 });
    expect(wire.requests.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":1}']);
    expect(scene.tests.count).toBe(0);
  });

  it('of the new token too asks for the test of that one', async () => {
    const scene = await setScene({ outcome: 'refused' });
    let renewed = false;
    wire.reply = (response, request) => {
      const before = renewed ? Promise.resolve() : scene.renew(canary('fresh'));
      renewed = true;
      void before.then(() => refuse(response, request));
    };
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
    expect(wire.requests).toHaveLength(2);
    expect(scene.tests.count).toBe(1);
  });

  it('of a credential that was declared dead meanwhile needs no test', async () => {
    const scene = await setScene();
    wire.reply = (response, request) => void scene.kill().then(() => refuse(response, request));
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
    expect(scene.tests.count).toBe(0);
  });

  it('for a missing scope, where the provider says so, says nothing about the token', async () => {
    const { request, tests } = await setScene({ provider: 'zoho', outcome: 'refused' });
    wire.reply = replyJson(401, { code: 'OAUTH_SCOPE_MISMATCH' });
    expect(await request({ url: '/' })).toMatchObject({ status: 401 });
    expect(tests.count).toBe(0);
  });
});

test('a credential that is known to be dead is not tried', async () => {
  const scene = await setScene();
  await scene.kill();
  expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'credential_dead' });
  expect(wire.connections).toBe(0);
});

test('a refusal inside a 200 counts where the provider does that', async () => {
  const { request, tests } = await setScene({ provider: 'zoho', outcome: 'refused' });
  wire.reply = replyJson(200, { code: 'INVALID_TOKEN' });
  expect(await rejection(request({ url: '/' }))).toBeInstanceOf(RelinkError);
  expect(tests.count).toBe(1);
});

test('a test that cannot be started is an error, and the next 401 starts another', async () => {
  const { request, tests } = await setScene({ onTest: () => Promise.reject(new RelinkError('temporal_unavailable')) });
  wire.reply = replyJson(401, {});
  expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'temporal_unavailable' });
  expect(await rejection(request({ url: '/' }))).toMatchObject({ code: 'temporal_unavailable' });
  expect(tests.count).toBe(2);
});

describe('a token that can be refreshed', () => {
  const refuse = replyJson(401, { error: 'invalid_token' });
  const minutes = (count: number) => new Date(Date.now() + count * 60_000);
  /** The API takes the new token and refuses the old one. */
  const takeFresh: WireReply = (response, request) =>
    (request.headers.authorization?.endsWith('-fresh') ? replyJson(200, {}) : refuse)(response, request);
  const authorizations = () => wire.requests.map(({ headers }) => headers.authorization);

  it('and is refused is refreshed once for all callers, who call again with the new one', async () => {
    const scene = await setScene({ refresh: 'refreshed' });
    wire.reply = takeFresh;
    const answers = await Promise.all(Array.from({ length: 30 }, () => scene.request({ url: '/' })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    expect(scene.refreshes.count).toBe(1);
    expect(scene.tests.count).toBe(0);
  });

  it('is not refreshed again for an endpoint that refuses the new one too: the identity call decides from then on', async () => {
    const scene = await setScene({ refresh: 'refreshed', outcome: 'ok' });
    wire.reply = refuse;
    expect(await scene.request({ url: '/scope/1' })).toMatchObject({ status: 401 });
    expect(authorizations()).toEqual([`Bearer ${scene.token}`, `Bearer ${scene.token}-fresh`]);
    for (let call = 0; call < 20; call += 1) {
      expect(await scene.request({ url: `/scope/${call}` })).toMatchObject({ status: 401 });
    }
    expect(scene.refreshes.count).toBe(1);
    expect(scene.tests.count).toBe(1);
    expect(await store.getCredential(scene.credentialId)).toMatchObject({ authIsValid: true, generation: 2 });
  });

  it('and was replaced in the store meanwhile costs no refresh', async () => {
    const scene = await setScene({ refresh: 'refreshed' });
    wire.reply = takeFresh;
    await scene.request({ url: '/' });
    await scene.renew(`${scene.token}-second-fresh`);
    wire.reply = (response, request) =>
      (request.headers.authorization?.endsWith('-second-fresh') ? replyJson(200, {}) : refuse)(response, request);
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(scene.refreshes.count).toBe(1);
  });

  it.each<[RefreshAnswer, Record<string, unknown>]>([
    [{ outcome: 'timed_out' }, { code: 'refresh_pending', retryable: true, retryAfterMs: 2_000 }],
    [{ outcome: 'dead' }, { code: 'credential_dead' }],
    [{ outcome: 'gone' }, { code: 'credential_dead' }],
    [{ outcome: 'operator_fault' }, { code: 'refresh_pending', retryAfterMs: 60_000 }],
  ])('and whose refresh ends with %j ends the call', async (refresh, expected) => {
    const scene = await setScene({ refresh });
    wire.reply = refuse;
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject(expected);
    expect(wire.requests).toHaveLength(1);
  });

  it('and whose product has its client rejected is used while it lives, and then held', async () => {
    const retryAt = minutes(15);
    const scene = await setScene({
      refresh: { outcome: 'operator_fault' },
      expiresAt: minutes(30),
      refreshDueAt: retryAt,
    });
    const verdict = { code: 'client_rejected', httpStatus: 401, since: noon } as const;
    await store.markCredentialInvalid(scene.credentialId, 1, verdict, noon);
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    wire.reply = refuse;
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'client_rejected' });
    // The sweep is not due yet.
    expect(scene.refreshes.count).toBe(0);
  });

  it('and looks ended whatever is brought is refreshed once: its 401 decides', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(-1), freshExpiresAt: minutes(-1) });
    for (let call = 0; call < 5; call += 1) expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(scene.refreshes.count).toBe(1);
    expect(new Set(authorizations())).toEqual(new Set([`Bearer ${scene.token}-fresh`]));
    wire.reply = refuse;
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 401 });
    expect(scene.refreshes.count).toBe(2);
  });

  it('and waits for its provider says for how long', async () => {
    const retryAt = minutes(5).toISOString();
    const scene = await setScene({ refresh: { outcome: 'pending', retryAt } });
    wire.reply = refuse;
    const error = await rejection(scene.request({ url: '/' }));
    expect(error.code).toBe('refresh_pending');
    expect(error.retryAfterMs).toBeGreaterThan(4 * 60_000);
  });

  it('and has ended is refreshed before the request', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(-1) });
    await scene.request({ url: '/', method: 'POST', json: {} });
    expect(authorizations()).toEqual([`Bearer ${scene.token}-fresh`]);
  });

  it('and has ended is not sent while no new one is to be had', async () => {
    const scene = await setScene({ refresh: { outcome: 'timed_out' }, expiresAt: minutes(-1) });
    expect(await rejection(scene.request({ url: '/' }))).toMatchObject({ code: 'refresh_pending' });
    expect(wire.connections).toBe(0);
  });

  it('and is due is used while it is refreshed', async () => {
    const scene = await setScene({ refresh: 'refreshed', expiresAt: minutes(10), refreshDueAt: minutes(-1) });
    expect(await scene.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(authorizations()).toEqual([`Bearer ${scene.token}`]);
    while ((await store.getCredential(scene.credentialId))?.generation !== 2) {
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(scene.refreshes.count).toBe(1);
  });

  it('works with a clock that is ten minutes ahead or behind', async () => {
    // Ahead: a token that lives counts as ended, and is refreshed once.
    const ahead = await setScene({
      refresh: 'refreshed',
      expiresAt: minutes(5),
      now: () => Date.now() + 10 * 60_000,
    });
    for (let call = 0; call < 3; call += 1) expect(await ahead.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(ahead.refreshes.count).toBe(1);
    // Behind: one that has ended counts as alive, is refused, and then refreshed.
    const behind = await setScene({
      refresh: 'refreshed',
      expiresAt: minutes(-5),
      now: () => Date.now() - 10 * 60_000,
    });
    wire.reply = takeFresh;
    for (let call = 0; call < 3; call += 1) expect(await behind.request({ url: '/' })).toMatchObject({ status: 200 });
    expect(behind.refreshes.count).toBe(1);
  });
});

import type { ExternalId, ProviderId } from '../../../src/domain/ids.js';
import { createLivingConnections } from '../../../src/handlers/living-connections.js';
import { createRefusalMemory } from '../../../src/handlers/create-refusal-memory.js';
import { requestProvider } from '../../../src/handlers/request-provider.js';
import { newId } from '../../../src/ids.js';
import type { ProviderRequest } from '../../../src/integrations/handler-context.js';
import { insertIntegration, noon } from '../../contract/fixtures.js';
import { openRequestStage, type RequestStage, type SceneOptions } from '../../support/request-scene.js';
import { hang, replyJson, replyText, reset, type WireProvider } from '../../support/wire-provider.js';
import { rejection, renderError, wireUp } from '../../support/wire-settings.js';

let stage: RequestStage;
let wire: WireProvider;
let stranger: WireProvider;
const setScene = (options?: SceneOptions) => stage.setScene(options);

beforeAll(async () => {
  stage = await openRequestStage();
});
beforeEach(async () => {
  ({ wire, stranger } = await stage.openWires());
});
afterEach(() => stage.closeWires());
afterAll(() => stage.close());

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
    const second = await stage.store.upsertEntity(
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
    const both = await insertIntegration(stage.store, userId, [scene.entityId, second.id].sort());
    const provider = wireUp('sandbox', wire);
    const dependencies = {
      connections: createLivingConnections(stage),
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

import { createHmac } from 'node:crypto';
import { Secret } from '../../../src/vault/secret.js';
import { subscriptionSecretsBinding } from '../../../src/vault/bindings.js';
import { call, codeOf, type Api } from './start-api.js';
import {
  countsOf,
  deliveriesOf,
  earlierSecret,
  newScene,
  secret,
  send,
  startWebhooksApi,
  until,
} from './webhook-scene.js';

let api: Api;
beforeAll(async () => {
  api = await startWebhooksApi({ settings: { RELINK_WEBHOOK_BODY_LIMIT: '100000' } });
});
afterAll(() => api.close());

const nothingStored = async (send: () => Promise<unknown>) => {
  const before = await api.query('SELECT count(*) FROM deliveries');
  await send();
  expect(await api.query('SELECT count(*) FROM deliveries')).toEqual(before);
};

describe('a webhook with a right signature', () => {
  test('is committed, sealed, before the 200, and its consumer is woken', async () => {
    const scene = await newScene(api);
    const body = '{"text":"a-body-that-nobody-may-read"}';
    const answer = await send(api, scene, {
      body,
      deliveryId: 'd-1',
      headers: { 'content-type': 'application/json; charset=utf-8', cookie: 'a=b' },
    });
    expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1 }]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'lightMyRequest' };
    expect(await deliveriesOf(api, scene)).toEqual([
      { state: 'queued', reason: null, externalId: 'd-1', headers, body: Buffer.from(body) },
    ]);
    expect(JSON.stringify(await api.query('SELECT * FROM deliveries'))).not.toContain('nobody-may-read');
    await until(() => api.workflows.wakes.includes(scene.id));
  });

  test.each<[string, { body: string | Buffer; headers?: Record<string, string> }]>([
    ['broken JSON', { body: '{"a":', headers: { 'content-type': 'application/json' } }],
    ['bytes', { body: Buffer.from([0, 255, 254, 10, 13]), headers: { 'content-type': 'application/octet-stream' } }],
    ['a form', { body: 'a=1&b=2', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['another content type than its bytes are', { body: '<a/>', headers: { 'content-type': 'application/json' } }],
    ['no content type', { body: 'text' }],
    ['a content type that is none', { body: '{}', headers: { 'content-type': 'nonsense' } }],
    ['an empty content type', { body: '{}', headers: { 'content-type': '' } }],
    ['an empty body', { body: '' }],
    ['an empty body that calls itself JSON', { body: '', headers: { 'content-type': 'application/json' } }],
  ])('is stored as the raw bytes it is: %s', async (_name, sent) => {
    const scene = await newScene(api);
    expect((await send(api, scene, sent)).statusCode).toBe(200);
    const [stored] = await deliveriesOf(api, scene);
    expect(stored?.body).toEqual(Buffer.from(sent.body));
    const type = sent.headers?.['content-type'];
    expect(stored?.headers['content-type']).toBe(type === '' ? undefined : type);
  });

  test('leaves no line of its own in the log', async () => {
    const scene = await newScene(api);
    const before = api.logLines.length;
    for (let n = 0; n < 5; n += 1) await send(api, scene);
    expect(api.logLines.slice(before)).toEqual([]);
  });

  test('is accepted under every secret in rotation', async () => {
    const scene = await newScene(api);
    expect((await send(api, scene, { key: earlierSecret })).statusCode).toBe(200);
    expect((await send(api, scene, { key: 'another' })).statusCode).toBe(401);
  });

  test("is accepted under the subscription's own secret only, also right after that one changed", async () => {
    const scene = await newScene(api);
    const keep = async (version: number, secrets: readonly string[]) => {
      const sealedSecrets = api.vault.seal(new Secret(JSON.stringify(secrets)), subscriptionSecretsBinding(scene.id));
      const write = { sealedSecrets, expiresAt: null, dueAt: null, failure: null };
      expect(await api.store.compareAndSetSubscription(scene.id, version, write)).not.toBeNull();
    };
    await keep(0, ['own-1']);
    expect((await send(api, scene, { key: 'own-1' })).statusCode).toBe(200);
    await new Promise(resolve => setTimeout(resolve, 150));
    await keep(1, ['own-2', 'own-1']);
    expect((await send(api, scene, { key: 'own-2' })).statusCode).toBe(200);
    expect((await send(api, scene, { key: 'own-1' })).statusCode).toBe(200);
    expect((await send(api, scene, { key: secret })).statusCode).toBe(401);
  });
});

describe('what comes twice', () => {
  test('at once and in two server processes is one row, and all are answered 200', async () => {
    const second = await api.startProcess();
    const scene = await newScene(api);
    const before = await countsOf(api, 'attio');
    try {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) => send(n % 2 === 0 ? api : second, scene, { deliveryId: `d-${n % 5}` })),
      );
      expect(answers.map(answer => answer.statusCode)).toEqual(answers.map(() => 200));
      const ids = (await deliveriesOf(api, scene)).map(row => row.externalId);
      expect(ids.sort()).toEqual(['d-0', 'd-1', 'd-2', 'd-3', 'd-4']);
      const [one, other] = [await countsOf(api, 'attio'), await countsOf(second, 'attio')];
      expect((one['accepted'] ?? 0) - (before['accepted'] ?? 0) + (other['accepted'] ?? 0)).toBe(5);
      expect((one['duplicate'] ?? 0) - (before['duplicate'] ?? 0) + (other['duplicate'] ?? 0)).toBe(35);
    } finally {
      await second.close();
    }
  });

  test('as a batch with one id is known event by event', async () => {
    const scene = await newScene(api);
    for (let times = 0; times < 2; times += 1) {
      const answer = await send(api, scene, { deliveryId: 'b', body: '{"events":[{"a":1},{"b":2}]}' });
      expect(answer.json()).toEqual({ accepted: 2 });
    }
    const stored = (await deliveriesOf(api, scene)).map(row => [row.externalId, row.body.toString()]);
    expect(stored).toEqual([
      ['b/0', '{"a":1}'],
      ['b/1', '{"b":2}'],
    ]);
  });

  test('and failed before is queued again with what came now', async () => {
    const scene = await newScene(api);
    await send(api, scene, { deliveryId: 'd', body: '1' });
    await api.query(
      "UPDATE deliveries SET state = 'failed', reason = 'handler_failed', finished_at = now() WHERE integration_id = $1",
      [scene.id],
    );
    expect((await send(api, scene, { deliveryId: 'd', body: '2' })).json()).toEqual({ accepted: 1 });
    expect(await deliveriesOf(api, scene)).toMatchObject([{ state: 'queued', body: Buffer.from('2') }]);
  });

  test('but has no id of its own is taken twice', async () => {
    const scene = await newScene(api, 'inbox', 'xero');
    const body = '{"events":[{"a":1},{"b":2}]}';
    const headers = { 'x-xero-signature': createHmac('sha256', secret).update(body).digest('base64') };
    for (let times = 0; times < 2; times += 1) {
      const answer = await api.app.inject({ method: 'POST', url: scene.url, payload: body, headers });
      expect(answer.json()).toEqual({ accepted: 2 });
    }
    const stored = await deliveriesOf(api, scene);
    expect(stored.map(row => row.body.toString())).toEqual(['{"a":1}', '{"b":2}', '{"a":1}', '{"b":2}']);
    expect(new Set(stored.map(row => row.externalId)).size).toBe(4);
  });
});

describe('refused with nothing stored', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const slack = (body: string, time: number) => ({
    'x-slack-request-timestamp': String(time),
    'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
  });

  test.each([
    ['no signature', 'attio', () => ({}), 401, 'webhook_signature_missing'],
    [
      'a signature of other bytes',
      'attio',
      () => ({ 'attio-signature': 'ab'.repeat(32) }),
      401,
      'webhook_signature_wrong',
    ],
    ['a signature of another length', 'attio', () => ({ 'attio-signature': 'ab' }), 401, 'webhook_signature_wrong'],
    ['a signed time that is long ago', 'slack', () => slack('{}', now() - 301), 401, 'webhook_signature_stale'],
    ['a signed time that is far ahead', 'slack', () => slack('{}', now() + 310), 401, 'webhook_signature_stale'],
    ['no secret configured', 'github', () => ({ 'x-hub-signature-256': 'sha256=00' }), 403, 'webhook_secret_missing'],
  ])('%s', async (_name, provider, headers, status, code) => {
    const scene = await newScene(api, 'inbox', provider);
    const before = await countsOf(api, provider);
    await nothingStored(async () => {
      const answer = await api.app.inject({ method: 'POST', url: scene.url, payload: '{}', headers: headers() });
      expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
    });
    expect((await countsOf(api, provider))[code]).toBe((before[code] ?? 0) + 1);
  });

  test('a body over the limit', async () => {
    const scene = await newScene(api);
    await nothingStored(async () => {
      const answer = await send(api, scene, { body: 'x'.repeat(100_001) });
      expect([answer.statusCode, codeOf(answer)]).toEqual([413, 'payload_too_large']);
    });
    expect((await send(api, scene, { body: 'x'.repeat(100_000) })).statusCode).toBe(200);
    expect(await countsOf(api, 'attio')).toMatchObject({ payload_too_large: 1 });
  });

  test.each([
    ['an unknown provider', () => ({ url: `/api/webhooks/nobody/int_${'0'.repeat(32)}` })],
    ['a provider that is not configured', () => ({ url: `/api/webhooks/zoho/int_${'0'.repeat(32)}` })],
    ['an unknown integration', () => ({ url: `/api/webhooks/attio/int_${'0'.repeat(32)}` })],
    ['what is no id', () => ({ url: '/api/webhooks/attio/int_1' })],
    ['a type that takes none', () => newScene(api, 'contact-sync')],
    [
      'the address of another provider',
      async () => ({ url: (await newScene(api, 'inbox', 'slack')).url.replace('slack', 'attio') }),
    ],
  ])('%s', async (_name, make) => {
    const scene = await make();
    await nothingStored(async () => {
      const answer = await send(api, scene);
      expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'webhooks_not_expected']);
    });
  });

  test('a GET that is no handshake', async () => {
    const { url } = await newScene(api);
    const answer = await api.app.inject({ method: 'GET', url });
    expect([answer.statusCode, codeOf(answer)]).toEqual([404, 'webhooks_not_expected']);
  });

  test('is one line in the log, however many come', async () => {
    const process = await api.startProcess();
    const scene = await newScene(api);
    try {
      for (let n = 0; n < 20; n += 1) await send(process, scene, { key: 'another' });
      const lines = process.logLines.filter(line => line.includes('webhook_signature_wrong'));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('A webhook of attio was answered webhook_signature_wrong');
      expect(lines[0]).toContain(`"integrationId":"${scene.id}"`);
    } finally {
      await process.close();
    }
  });
});

test('an integration that was deleted takes none, and what it had queued is woken for', async () => {
  const scene = await newScene(api);
  await send(api, scene);
  const wakes = () => api.workflows.wakes.filter(id => id === scene.id).length;
  await until(() => wakes() >= 1);
  const before = wakes();
  await call(api, 'ann', 'DELETE', scene.path);
  await until(() => wakes() > before);
  await new Promise(resolve => setTimeout(resolve, 1_050));
  expect(codeOf(await send(api, scene))).toBe('webhooks_not_expected');
});

test('/metrics asks for the API key and names no id', async () => {
  const scene = await newScene(api);
  await send(api, scene);
  const refused = await api.app.inject('/metrics');
  expect([refused.statusCode, codeOf(refused)]).toEqual([401, 'unauthenticated']);
  const headers = { authorization: 'Bearer another-api-key-used-in-rotation' };
  const { body, statusCode } = await api.app.inject({ url: '/metrics', headers });
  expect(statusCode).toBe(200);
  expect(body).toContain('relink_webhook_commit_rows_bucket');
  expect(body).toContain('relink_wakes_total{outcome="sent"}');
  expect(body).toContain('process_resident_memory_bytes');
  expect(body).not.toMatch(/(int|dlv|cred|ent)_[0-9a-f]{32}/);
});

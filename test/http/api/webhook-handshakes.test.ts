import { createHmac } from 'node:crypto';
import { Client } from 'pg';
import { codeOf, type Api } from './start-api.js';
import { countsOf, deliveriesOf, newScene, secret, startWebhooksApi, until } from './webhook-scene.js';

let api: Api;
beforeAll(async () => {
  api = await startWebhooksApi();
});
afterAll(() => api.close());

const hmac = (text: string, encoding: 'hex' | 'base64', key = secret) =>
  createHmac('sha256', key).update(text).digest(encoding);
const post = (url: string, payload: string, headers: Readonly<Record<string, string>> = {}) =>
  api.app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });

test('a signed challenge is echoed, an unsigned one is refused', async () => {
  const body = '{"type":"url_verification","challenge":"echo me"}';
  const time = String(Math.floor(Date.now() / 1000));
  const headers = (key: string) => ({
    'x-slack-request-timestamp': time,
    'x-slack-signature': `v0=${hmac(`v0:${time}:${body}`, 'hex', key)}`,
  });
  const answer = await post('/api/webhooks/slack', body, headers(secret));
  expect([answer.statusCode, answer.json()]).toEqual([200, { challenge: 'echo me' }]);
  const refused = await post('/api/webhooks/slack', body, headers('another'));
  expect([refused.statusCode, codeOf(refused)]).toEqual([401, 'webhook_signature_wrong']);
  expect(await countsOf(api, 'slack')).toEqual({ handshake: 1, webhook_signature_wrong: 1 });
});

test('an unsigned challenge is echoed where the provider does not sign it', async () => {
  const answer = await post('/api/webhooks/monday', '{"challenge":"3eZ"}');
  expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
    200,
    'application/json; charset=utf-8',
    '{"challenge":"3eZ"}',
  ]);
});

test.each(['GET', 'POST'] as const)('a token in the query of a %s comes back as plain text', async method => {
  const url = '/api/webhooks/microsoft?validationToken=%3Cb%3Ehi%3C%2Fb%3E%20there';
  const answer = await api.app.inject({ method, url });
  expect([answer.statusCode, answer.body]).toEqual([200, '<b>hi</b> there']);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
});

test('an event-less body proves the signature', async () => {
  const { url, id } = await newScene(api, 'inbox', 'xero');
  const body = '{"events":[]}';
  const right = await post(url, body, { 'x-xero-signature': hmac(body, 'base64') });
  expect([right.statusCode, right.body]).toEqual([200, '']);
  const signedWrongly: readonly Record<string, string>[] = [{ 'x-xero-signature': hmac('other', 'base64') }, {}];
  for (const headers of signedWrongly) {
    const wrong = await post(url, body, headers);
    expect([wrong.statusCode, wrong.body, wrong.headers['content-type']]).toEqual([401, '', undefined]);
  }
  expect(await countsOf(api, 'xero')).toMatchObject({ webhook_signature_wrong: 1, webhook_signature_missing: 1 });
  expect(await deliveriesOf(api, { id })).toEqual([]);
});

test('a GET that tries the address out is answered', async () => {
  const { url } = await newScene(api, 'inbox', 'mailchimp');
  expect((await api.app.inject({ method: 'GET', url: `${url}?secret=${secret}` })).statusCode).toBe(200);
});

test('a secret that comes with the handshake is kept, sealed, for this webhook; a second one changes nothing', async () => {
  const { url, id } = await newScene(api, 'inbox', 'asana');
  const other = await newScene(api, 'inbox', 'asana');
  const given = 'secret-given-by-the-handshake';
  // The intake has looked this integration up before the handshake, and events follow at once.
  expect(codeOf(await post(url, '{}', { 'x-hook-signature': '00' }))).toBe('webhook_secret_missing');
  const handshake = await post(url, '', { 'x-hook-secret': given });
  expect([handshake.statusCode, handshake.headers['x-hook-secret']]).toEqual([200, given]);
  const event = '{"events":[1]}';
  const signed = (key: string) => ({ 'x-hook-signature': hmac(event, 'hex', key) });
  expect((await post(url, event, signed(given))).json()).toEqual({ accepted: 1 });
  expect((await post(url, '', { 'x-hook-secret': 'of-a-stranger' })).statusCode).toBe(200);
  expect(codeOf(await post(url, event, signed('of-a-stranger')))).toBe('webhook_signature_wrong');
  expect((await post(url, event, signed(given))).statusCode).toBe(200);
  expect(codeOf(await post(other.url, event, signed(given)))).toBe('webhook_secret_missing');
  expect(JSON.stringify(await api.query('SELECT * FROM subscriptions'))).not.toContain(given);
  expect(api.logLines.join('')).not.toContain(given);
  expect(await deliveriesOf(api, { id })).toHaveLength(2);
});

test('a handshake alone leaves the hook due: the one that asked for it may have died, or be of a version to come', async () => {
  const { url, id } = await newScene(api, 'inbox', 'asana');
  await post(url, '', { 'x-hook-secret': 'given' });
  const first = await api.store.getSubscription(id);
  expect(first?.dueAt?.getTime()).toBeLessThanOrEqual(Date.now());
});

test('a secret that comes with a handshake and is not kept is counted, and told in one line', async () => {
  const { url, id } = await newScene(api, 'inbox', 'asana');
  const before = (await countsOf(api, 'asana'))['handshake_ignored'] ?? 0;
  await post(url, '', { 'x-hook-secret': 'given' });
  await post(url, '', { 'x-hook-secret': 'given' });
  expect((await countsOf(api, 'asana'))['handshake_ignored'] ?? 0).toBe(before);
  for (const name of ['anew', 'once-more']) await post(url, '', { 'x-hook-secret': name });
  expect((await countsOf(api, 'asana'))['handshake_ignored']).toBe(before + 2);
  const told = api.logLines.filter(line => line.includes(id) && line.includes('not kept'));
  expect(told).toHaveLength(1);
  expect(told.join('')).not.toContain('anew');
});

test('a secret that comes while another writer has the row is kept all the same', async () => {
  const { url, id } = await newScene(api, 'inbox', 'asana');
  const due = { sealedSecrets: null, expiresAt: null, dueAt: new Date(), failure: null };
  await api.store.compareAndSetSubscription(id, 0, due);
  const other = new Client({ connectionString: api.databaseUrl });
  await other.connect();
  await other.query('BEGIN');
  await other.query('UPDATE subscriptions SET version = version + 1 WHERE integration_id = $1', [id]);
  const handshake = post(url, '', { 'x-hook-secret': 'given-once' });
  await until(async () => {
    const [{ blocked } = {}] = await api.query(
      `SELECT count(*)::int AS blocked FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return blocked === 1;
  });
  await other.query('COMMIT');
  await other.end();
  expect((await handshake).statusCode).toBe(200);
  const event = '{"events":[1]}';
  const answer = await post(url, event, { 'x-hook-signature': hmac(event, 'hex', 'given-once') });
  expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 1 }]);
});

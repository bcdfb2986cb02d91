import type { LightMyRequestResponse } from 'fastify';
import { apiKey, begin, call, comeBack, publicUrl, startApi, type Api } from './start-api.js';
import { replyJson } from '../../support/wire-provider.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

async function newAttempt(user = 'ann', query: Record<string, string> = {}): Promise<string> {
  const search = new URLSearchParams({ entityType: 'attio', ...query });
  return (await call(api, user, 'GET', `/api/authorize?${search.toString()}`)).json<{ attempt: string }>().attempt;
}

function press(attempt: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  return api.app.inject({ method: 'POST', url: `/connect/${attempt}`, headers });
}

function cookieOf(answer: LightMyRequestResponse): string {
  const [cookie] = answer.cookies;
  return `${cookie?.name}=${cookie?.value}`;
}

test('the page names product, provider and asking user, all escaped, and has one button', async () => {
  const attempt = await newAttempt('<b>mallory & "co"</b>');
  const page = await api.app.inject(`/connect/${attempt}`);
  expect(page.statusCode).toBe(200);
  expect(page.body).toContain('Rocket &#60;CRM&#62;');
  expect(page.body).toContain('&#60;b&#62;mallory &#38; &#34;co&#34;&#60;/b&#62;');
  expect(page.body).not.toContain('<b>mallory');
  expect(page.body.match(/<button[^>]*>([^<]*)</g)).toEqual(['<button type="submit">Continue to Attio<']);
  expect(page.body).toContain('<html lang="en">');
  expect(page.body).not.toContain('<script');
});

test('the page may not be framed, cached or sent along as referrer', async () => {
  const page = await api.app.inject(`/connect/${await newAttempt()}`);
  expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  expect(page.headers['cache-control']).toBe('no-store');
  // Not `no-referrer`: with it browsers would hide the origin of the page's own form.
  expect(page.headers['referrer-policy']).toBe('same-origin');
});

test('the cookie is a __Host- cookie of this attempt', async () => {
  const attempt = await newAttempt();
  const answer = await press(attempt);
  expect(answer.statusCode).toBe(303);
  expect(String(answer.headers['set-cookie'])).toMatch(
    new RegExp(`^__Host-relink-${attempt}=[A-Za-z0-9_-]{43}; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax$`),
  );
});

test('on plain http, for development, it lacks the prefix that browsers would refuse there', async () => {
  const local = await api.startProcess({ settings: { RELINK_PUBLIC_URL: 'http://127.0.0.1:3000' } });
  try {
    const { attempt, cookie, callback } = await begin(local, 'ann');
    expect(cookie).toMatch(new RegExp(`^relink-${attempt}=`));
    expect((await comeBack(local, callback, cookie)).statusCode).toBe(200);
  } finally {
    await local.close();
  }
});

test('only the hash of the cookie is stored, and only once the button was pressed', async () => {
  const attempt = await newAttempt();
  const shown = await api.app.inject(`/connect/${attempt}`);
  const hash = () => api.query('SELECT browser_hash FROM authorization_sessions WHERE id = $1', [attempt]);
  expect(await hash()).toEqual([{ browser_hash: null }]);
  await press(attempt, { cookie: cookieOf(shown) });
  const [row] = await hash();
  expect(row?.['browser_hash']).toMatch(/^[0-9a-f]{64}$/);
});

test('two quick presses from one browser both go on; another browser is refused, also the page', async () => {
  const attempt = await newAttempt();
  const cookie = cookieOf(await api.app.inject(`/connect/${attempt}`));
  const [first, second] = await Promise.all([press(attempt, { cookie }), press(attempt, { cookie })]);
  expect([first.statusCode, second.statusCode]).toEqual([303, 303]);
  expect(first.headers.location).toBe(second.headers.location);
  expect((await press(attempt)).statusCode).toBe(404);
  expect((await press(attempt, { cookie: `__Host-relink-${attempt}=${'A'.repeat(43)}` })).statusCode).toBe(404);
  expect((await api.app.inject(`/connect/${attempt}`)).statusCode).toBe(404);
  expect((await comeBack(api, `/connect/${attempt}`, cookie)).statusCode).toBe(200);
});

test.each([
  ['a foreign origin', { origin: 'https://evil.example' }],
  ['a foreign origin that begins like ours', { origin: `${publicUrl}.evil.example` }],
  ['ours on plain http', { origin: 'http://connect.example.com' }],
  ['a hidden origin', { origin: 'null' }],
  ['a hidden origin from another site', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ['no origin, but from another site', { 'sec-fetch-site': 'cross-site' }],
])('a button pressed from %s does nothing', async (_name, headers) => {
  const attempt = await newAttempt();
  const answer = await press(attempt, headers);
  expect(answer.statusCode).toBe(404);
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(await api.query('SELECT browser_hash FROM authorization_sessions WHERE id = $1', [attempt])).toEqual([
    { browser_hash: null },
  ]);
});

test.each([
  ['our own origin', { origin: publicUrl, 'sec-fetch-site': 'same-origin' }],
  ['our own page whose origin is hidden', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
  ['a client that is no browser', {}],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
])('a button pressed from %s goes on', async (_name, headers) => {
  expect((await press(await newAttempt(), headers)).statusCode).toBe(303);
});

test('unknown, malformed, expired and ended attempts show the same page', async () => {
  const ended = await begin(api, 'ann');
  await comeBack(api, ended.callback, ended.cookie);
  const expired = await newAttempt();
  await api.query("UPDATE authorization_sessions SET expires_at = now() - interval '1 s' WHERE id = $1", [expired]);
  const pages = await Promise.all(
    [`ses_${'0'.repeat(32)}`, 'nonsense', '%3Cscript%3E', expired, ended.attempt].map(attempt =>
      api.app.inject(`/connect/${attempt}`),
    ),
  );
  expect(pages.map(page => page.statusCode)).toEqual([404, 404, 404, 404, 404]);
  expect(new Set(pages.map(page => page.body)).size).toBe(1);
  expect((await press(expired)).statusCode).toBe(404);
});

test('the browser that began sees the outcome, or is sent back with it', async () => {
  const connected = await begin(api, 'ann');
  await comeBack(api, connected.callback, connected.cookie);
  const page = await comeBack(api, `/connect/${connected.attempt}`, connected.cookie, 'text/html');
  expect([page.statusCode, page.body.includes('Attio is connected')]).toEqual([200, true]);
  // Pressing again after the back button leads to the outcome, not to the provider.
  const pressed = await press(connected.attempt, { cookie: connected.cookie });
  expect(pressed.headers.location).toBe(`${publicUrl}/connect/${connected.attempt}`);

  const back = await begin(api, 'ann', { returnUrl: 'https://app.example.com/x' });
  await comeBack(api, back.callback, back.cookie);
  expect((await comeBack(api, `/connect/${back.attempt}`, back.cookie)).headers.location).toBe(
    `https://app.example.com/x?attempt=${back.attempt}&status=connected`,
  );

  api.provider.token = replyJson(400, { error: 'invalid_grant' });
  const failed = await begin(api, 'ann');
  await comeBack(api, failed.callback, failed.cookie);
  const reason = await comeBack(api, `/connect/${failed.attempt}`, failed.cookie, 'text/html');
  expect([reason.statusCode, reason.body.includes('exchange_refused')]).toEqual([502, true]);
});

test('a HEAD request begins nothing', async () => {
  const before = await api.query('SELECT count(*) FROM authorization_sessions');
  const answer = await api.app.inject({
    method: 'HEAD',
    url: '/api/authorize?entityType=attio',
    headers: { authorization: `Bearer ${apiKey}`, 'relink-user': 'ann' },
  });
  expect(answer.statusCode).toBe(404);
  expect(await api.query('SELECT count(*) FROM authorization_sessions')).toEqual(before);
});

import { hang, replyJson, replyText, reset, type WireReply } from '../../support/wire-provider.js';
import { begin, call, codeOf, comeBack, ownRedirect, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({ settings: { RELINK_EXCHANGE_TIMEOUT: '0.5' } });
});
afterAll(() => api.close());

async function expectEnded(attempt: string, code: string): Promise<void> {
  const [row] = await api.query('SELECT * FROM authorization_sessions WHERE id = $1', [attempt]);
  expect(row).toMatchObject({ state: 'failed', error_code: code, sealed_grant: null, credential_id: null });
  expect(await api.query('SELECT id FROM credentials')).toEqual([]);
  expect(api.workflows.reauths).toEqual([]);
}

const failures: [string, WireReply, number, string, string][] = [
  ['refused', replyJson(400, { error: 'invalid_grant' }), 502, 'exchange_refused', 'connect_again'],
  ['refused client', replyJson(401, { error: 'invalid_client' }), 502, 'client_rejected', 'operator'],
  ['silence', hang, 504, 'exchange_timed_out', 'connect_again'],
  ['reset', reset, 502, 'exchange_failed', 'connect_again'],
  ['server error', replyText(503, 'busy'), 502, 'exchange_failed', 'connect_again'],
  ['a page', replyText(200, '<html>', { 'content-type': 'text/html' }), 502, 'exchange_failed', 'connect_again'],
];

test.each(failures)('%s ends the attempt with a typed answer', async (_name, reply, status, code, action) => {
  api.provider.token = reply;
  const before = api.exchanges();
  const { attempt, callback, cookie } = await begin(api, 'ann');
  const answer = await comeBack(api, callback, cookie);
  expect([answer.statusCode, codeOf(answer)]).toEqual([status, code]);
  expect(api.exchanges() - before).toBe(1);
  await expectEnded(attempt, code);
  const standing = await call(api, 'ann', 'GET', `/api/authorize/${attempt}`);
  expect(standing.json()).toMatchObject({ status: 'failed', error: { code, action } });
});

test.each(failures)('%s redirects with the reason where there is a return URL', async (_name, reply, _status, code) => {
  api.provider.token = reply;
  const { attempt, callback, cookie } = await begin(api, 'ann', { returnUrl: 'https://app.example.com/x' });
  const answer = await comeBack(api, callback, cookie, 'text/html');
  expect(answer.statusCode).toBe(303);
  expect(answer.headers.location).toBe(`https://app.example.com/x?attempt=${attempt}&status=failed&error=${code}`);
});

test('access denied ends the attempt without any exchange, and is an ordinary answer', async () => {
  const before = api.exchanges();
  const { attempt, state, cookie } = await begin(api, 'ann');
  const denied = `/api/oauth/callback/attio?error=access_denied&error_description=No+thanks&state=${state}`;
  const answer = await comeBack(api, denied, cookie);
  expect([answer.statusCode, codeOf(answer)]).toEqual([403, 'access_denied']);
  expect(answer.body).not.toContain('No thanks');
  await expectEnded(attempt, 'access_denied');
  expect(api.exchanges()).toBe(before);
  // The attempt is over: a code for it, wherever from, changes nothing.
  const late = await comeBack(api, `/api/oauth/callback/attio?code=c&state=${state}`, cookie);
  expect(codeOf(late)).toBe('access_denied');
  expect(api.exchanges()).toBe(before);
});

test("another error of the provider's ends as authorization_failed", async () => {
  const { attempt, state } = await begin(api, 'ann', { redirectUri: ownRedirect });
  const answer = await call(api, 'ann', 'POST', '/api/authorize', {
    entityType: 'attio',
    data: { error: 'server_error', state },
  });
  expect([answer.statusCode, codeOf(answer)]).toEqual([502, 'authorization_failed']);
  await expectEnded(attempt, 'authorization_failed');
});

test('a browser without a return URL sees the reason as a page', async () => {
  api.provider.token = replyJson(400, { error: 'invalid_grant' });
  const { callback, cookie } = await begin(api, 'ann');
  const answer = await comeBack(api, callback, cookie, 'text/html');
  expect(answer.statusCode).toBe(502);
  expect(answer.headers['content-type']).toContain('text/html');
  expect(answer.body).toContain('The provider refused the authorization code.');
});

import { setTimeout as sleep } from 'node:timers/promises';
import { replyJson } from '../../support/wire-provider.js';
import { begin, call, codeOf, comeBack, ownRedirect, startApi, type Api, type ApiProcess } from './start-api.js';

let api: Api;
let second: ApiProcess;
beforeAll(async () => {
  api = await startApi();
  second = await api.startProcess();
});
afterAll(async () => {
  await second.close();
  await api.close();
});

const slowToken =
  (ms: number, reply = replyJson(200, { access_token: 'slow-token', token_type: 'Bearer' })): typeof reply =>
  (response, request) =>
    void setTimeout(() => reply(response, request), ms);

test('one after the other: one exchange, one credential, the same answer', async () => {
  const before = api.exchanges();
  const { callback, cookie } = await begin(api, 'ann');
  const first = await comeBack(api, callback, cookie);
  const again = await comeBack(api, callback, cookie);
  expect(first.statusCode).toBe(200);
  expect(again.statusCode).toBe(200);
  expect(again.json()).toEqual(first.json());
  expect(api.exchanges() - before).toBe(1);
  expect(await api.query("SELECT id FROM credentials WHERE user_id = 'ann'")).toHaveLength(1);
});

test('at once and in two server processes: one exchange, one credential, the same answer to all', async () => {
  const before = api.exchanges();
  api.provider.token = slowToken(300);
  const { attempt, callback, cookie } = await begin(api, 'bob');
  const answers = await Promise.all(
    [api, second, api, second, api, second].map(process => comeBack(process, callback, cookie)),
  );
  expect(answers.map(answer => answer.statusCode)).toEqual([200, 200, 200, 200, 200, 200]);
  expect(new Set(answers.map(answer => answer.body)).size).toBe(1);
  expect(api.exchanges() - before).toBe(1);
  expect(await api.query("SELECT id FROM credentials WHERE user_id = 'bob'")).toHaveLength(1);
  expect([...api.workflows.reauths, ...second.workflows.reauths]).toContain(attempt);
});

test('delivered at once by POST: one exchange, the same answer', async () => {
  const before = api.exchanges();
  api.provider.token = slowToken(200);
  const { state } = await begin(api, 'cleo', { redirectUri: ownRedirect });
  const body = { entityType: 'attio', data: { code: 'c', state } };
  const answers = await Promise.all(
    [api, second].map(process => call(process, 'cleo', 'POST', '/api/authorize', body)),
  );
  expect(answers.map(answer => answer.statusCode)).toEqual([200, 200]);
  expect(answers[0]?.json()).toEqual(answers[1]?.json());
  expect(api.exchanges() - before).toBe(1);
});

test('an attempt that failed says the same again, without another exchange', async () => {
  const before = api.exchanges();
  api.provider.token = slowToken(200, replyJson(400, { error: 'invalid_grant', error_description: 'secret words' }));
  const { callback, cookie } = await begin(api, 'dora');
  const answers = await Promise.all([api, second].map(process => comeBack(process, callback, cookie)));
  answers.push(await comeBack(second, callback, cookie));
  for (const answer of answers) {
    expect([answer.statusCode, codeOf(answer)]).toEqual([502, 'exchange_refused']);
    expect(answer.body).not.toContain('secret words');
  }
  expect(new Set(answers.map(answer => JSON.stringify(answer.json<{ error: unknown }>().error))).size).toBe(1);
  expect(api.exchanges() - before).toBe(1);
});

test('a repeat during a long exchange gets 202 at the deadline and the answer later', async () => {
  const impatient = await api.startProcess({ settings: { RELINK_CALLBACK_DEADLINE: '0.3' } });
  try {
    api.provider.token = slowToken(1200);
    const { attempt, callback, cookie } = await begin(api, 'eve');
    const winner = comeBack(api, callback, cookie);
    await sleep(100);
    const repeat = await comeBack(impatient, callback, cookie);
    expect(repeat.statusCode).toBe(202);
    expect(repeat.json()).toEqual({ attempt, status: 'pending', status_url: `/api/authorize/${attempt}` });
    const answered = await winner;
    expect(answered.statusCode).toBe(200);
    expect((await comeBack(impatient, callback, cookie)).json()).toEqual(answered.json());
  } finally {
    await impatient.close();
  }
});

test('a claimed attempt does not expire', async () => {
  api.provider.token = slowToken(0);
  const { callback, cookie } = await begin(api, 'finn');
  const first = await comeBack(api, callback, cookie);
  const later = await api.startProcess({ now: () => new Date(Date.now() + 60 * 60_000) });
  try {
    expect((await comeBack(later, callback, cookie)).json()).toEqual(first.json());
  } finally {
    await later.close();
  }
});

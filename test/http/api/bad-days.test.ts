import { connect as connectSocket, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { replyJson, replyText, type WireReply } from '../../support/wire-provider.js';
import { startCuttableProxy } from '../../support/cuttable-proxy.js';
import { accessToken, begin, call, codeOf, comeBack, connect, startApi, type Api } from './start-api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi({ settings: { RELINK_CALLBACK_DEADLINE: '1' } });
});
afterAll(() => api.close());
const token = replyJson(200, { access_token: accessToken, token_type: 'Bearer' });
const identity = replyJson(200, { active: true, workspace_id: 'ws_1', workspace_name: 'Acme' });
beforeEach(() => {
  api.provider.token = token;
  api.provider.identity = identity;
  api.workflows.isDown = false;
});

async function stateOf(attempt: string): Promise<unknown> {
  const [row] = await api.query('SELECT state FROM authorization_sessions WHERE id = $1', [attempt]);
  return row?.['state'];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('did not happen within 10 s');
}

const delayed =
  (ms: number, reply: WireReply): WireReply =>
  (response, request) =>
    void setTimeout(() => reply(response, request), ms);

describe('Temporal is down', () => {
  test('the callback answers 202, keeps the grant sealed, and a repeat finishes it later', async () => {
    api.workflows.isDown = true;
    const before = api.exchanges();
    const { attempt, callback, cookie } = await begin(api, 'ann');
    const answer = await comeBack(api, callback, cookie);
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({ attempt, status: 'pending', status_url: `/api/authorize/${attempt}` });
    const [row] = await api.query('SELECT state, sealed_grant FROM authorization_sessions WHERE id = $1', [attempt]);
    expect(row).toMatchObject({ state: 'exchanged', sealed_grant: expect.stringMatching(/^v1\./) as string });
    expect(JSON.stringify(row)).not.toContain(accessToken);

    api.workflows.isDown = false;
    expect((await comeBack(api, callback, cookie)).statusCode).toBe(200);
    expect(api.exchanges() - before).toBe(1);
  });

  test('a browser waits on our page, or goes back with status=pending', async () => {
    api.workflows.isDown = true;
    const { attempt, callback, cookie } = await begin(api, 'ann');
    const waiting = await comeBack(api, callback, cookie, 'text/html');
    expect([waiting.statusCode, waiting.headers.location]).toEqual([
      303,
      `https://connect.example.com/connect/${attempt}`,
    ]);
    const page = await comeBack(api, `/connect/${attempt}`, cookie, 'text/html');
    expect(page.body).toContain('<meta http-equiv="refresh" content="2">');

    const returning = await begin(api, 'ann', { returnUrl: 'https://app.example.com/x' });
    const answer = await comeBack(api, returning.callback, returning.cookie);
    expect(answer.headers.location).toBe(`https://app.example.com/x?attempt=${returning.attempt}&status=pending`);
  });

  test('a credential test says so and may be sent again; health is degraded, not down', async () => {
    const { credential_id } = await connect(api, 'ann');
    api.workflows.isDown = true;
    const answer = await call(api, 'ann', 'POST', `/api/credentials/${credential_id}/test`);
    expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'temporal_unavailable']);
    expect(answer.json()).toMatchObject({ error: { retryable: true } });
    const health = await api.app.inject('/health');
    expect([health.statusCode, health.json()]).toEqual([
      200,
      { status: 'degraded', database: 'ok', temporal: 'unreachable', version: expect.any(String) as string },
    ]);
  });
});

test('the identity call is down for a while: 202, then the credential arrives by itself', async () => {
  api.provider.identity = replyText(503, 'busy');
  const { attempt, callback, cookie } = await begin(api, 'greta');
  expect((await comeBack(api, callback, cookie)).statusCode).toBe(202);
  expect(await api.query("SELECT id FROM credentials WHERE user_id = 'greta'")).toEqual([]);
  api.provider.identity = identity;
  await until(async () => ['connected', 'restored'].includes(String(await stateOf(attempt))));
  const standing = await call(api, 'greta', 'GET', `/api/authorize/${attempt}`);
  expect(standing.json()).toMatchObject({ credential_id: expect.stringMatching(/^cred_/) as string });
});

test('another account than expected is refused; the old rows stay byte for byte as they were', async () => {
  const { entity_id } = await connect(api, 'hugo');
  const rows = () =>
    Promise.all(
      ['credentials', 'entities'].map(table => api.query(`SELECT * FROM ${table} WHERE user_id = 'hugo' ORDER BY id`)),
    );
  const before = await rows();
  api.provider.identity = replyJson(200, { active: true, workspace_id: 'ws_other', workspace_name: 'Other' });
  const { attempt, callback, cookie } = await begin(api, 'hugo', { entityId: entity_id });
  const answer = await comeBack(api, callback, cookie);
  expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'wrong_account']);
  expect(await rows()).toEqual(before);
  expect((await call(api, 'hugo', 'GET', `/api/authorize/${attempt}`)).json()).toMatchObject({
    status: 'failed',
    error: { code: 'wrong_account', action: 'connect_again' },
  });
});

test('an exchange longer than the deadline: 202, and the exchange is finished, sealed and taken further', async () => {
  api.provider.token = delayed(2000, token);
  const { attempt, callback, cookie } = await begin(api, 'ida');
  const answer = await comeBack(api, callback, cookie);
  expect(answer.statusCode).toBe(202);
  expect(await stateOf(attempt)).toBe('exchanging');
  await until(async () => ['connected', 'restored'].includes(String(await stateOf(attempt))));
});

test('the client goes away during the exchange: it is finished all the same', async () => {
  const process = await api.startProcess();
  try {
    await process.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = process.app.server.address() as AddressInfo;
    api.provider.token = delayed(500, token);
    const before = api.exchanges();
    const { attempt, callback, cookie } = await begin(process, 'jane');
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(`GET ${callback} HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`);
    await until(async () => api.exchanges() > before);
    socket.destroy();
    await until(async () => ['connected', 'restored'].includes(String(await stateOf(attempt))));
  } finally {
    await process.close();
  }
});

test('closing the service waits for the exchange in flight', async () => {
  const process = await api.startProcess();
  api.provider.token = delayed(700, token);
  const before = api.exchanges();
  const { attempt, callback, cookie } = await begin(process, 'kim');
  void comeBack(process, callback, cookie);
  await until(async () => api.exchanges() > before);
  await process.app.close();
  expect(['exchanged', 'connected', 'restored']).toContain(await stateOf(attempt));
  await process.close();
});

test('an exchange left for over a minute is ended as exchange_outcome_unknown by the next repeat', async () => {
  const { attempt, callback, cookie } = await begin(api, 'lou');
  const minuteAgo = new Date(Date.now() - 61_000);
  await api.query("UPDATE authorization_sessions SET state = 'exchanging', updated_at = $2 WHERE id = $1", [
    attempt,
    minuteAgo,
  ]);
  const before = api.exchanges();
  const answer = await comeBack(api, callback, cookie);
  expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'exchange_outcome_unknown']);
  expect(api.exchanges()).toBe(before);
  expect((await call(api, 'lou', 'GET', `/api/authorize/${attempt}`)).json()).toMatchObject({
    status: 'failed',
    error: { code: 'exchange_outcome_unknown', action: 'connect_again' },
  });
});

test('an exchange that began just now is waited for, not ended', async () => {
  const { attempt, callback, cookie } = await begin(api, 'mia');
  await api.query("UPDATE authorization_sessions SET state = 'exchanging', updated_at = now() WHERE id = $1", [
    attempt,
  ]);
  expect((await comeBack(api, callback, cookie)).statusCode).toBe(202);
  expect(await stateOf(attempt)).toBe('exchanging');
});

test.each([
  ['ahead', 10 * 60_000],
  ['behind', -10 * 60_000],
])('how old an exchange is, the database says: a server whose clock is ten minutes %s', async (_name, offset) => {
  const skewed = await api.startProcess({ now: () => new Date(Date.now() + offset) });
  try {
    const { attempt, callback, cookie } = await begin(api, 'rae');
    const ageBy = (seconds: number) =>
      api.query(
        "UPDATE authorization_sessions SET state = 'exchanging', updated_at = now() - make_interval(secs => $2) WHERE id = $1",
        [attempt, seconds],
      );
    await ageBy(55);
    expect((await comeBack(skewed, callback, cookie)).statusCode).toBe(202);
    expect(await stateOf(attempt)).toBe('exchanging');
    await ageBy(61);
    expect(codeOf(await comeBack(skewed, callback, cookie))).toBe('exchange_outcome_unknown');
  } finally {
    await skewed.close();
  }
});

describe('the database goes away between the exchange and the sealed write', () => {
  test('for two seconds: the grant is stored when it is back', async () => {
    const proxy = await startCuttableProxy(api.databaseUrl);
    const process = await api.startProcess({ databaseUrl: proxy.url, settings: { RELINK_CALLBACK_DEADLINE: '10' } });
    try {
      const { callback, cookie } = await begin(process, 'nora');
      api.provider.token = (response, request) => {
        void proxy.cut();
        setTimeout(() => void proxy.mend(), 2000);
        token(response, request);
      };
      expect((await comeBack(process, callback, cookie)).statusCode).toBe(200);
    } finally {
      await process.close();
      await proxy.close();
    }
  });

  test('for good: exchange_outcome_unknown, with the attempt in the log and no token', async () => {
    const proxy = await startCuttableProxy(api.databaseUrl);
    const process = await api.startProcess({ databaseUrl: proxy.url, settings: { RELINK_CALLBACK_DEADLINE: '20' } });
    try {
      const { attempt, callback, cookie } = await begin(process, 'olga');
      api.provider.token = (response, request) => {
        void proxy.cut();
        token(response, request);
      };
      const answer = await comeBack(process, callback, cookie);
      expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'exchange_outcome_unknown']);
      const errors = process.logLines.filter(line => line.includes('"level":"error"') && line.includes(attempt));
      expect(errors).not.toHaveLength(0);
      expect(process.logLines.join('')).not.toContain(accessToken);
      expect(await api.query("SELECT id FROM credentials WHERE user_id = 'olga'")).toEqual([]);
    } finally {
      await process.close();
      await proxy.close();
    }
  });

  test('only after the sealed write: 202 and not an error, and a repeat connects without another exchange', async () => {
    const proxy = await startCuttableProxy(api.databaseUrl);
    const process = await api.startProcess({ databaseUrl: proxy.url, settings: { RELINK_CALLBACK_DEADLINE: '2' } });
    try {
      const before = api.exchanges();
      const { attempt, callback, cookie } = await begin(process, 'quinn');
      process.workflows.isDown = true;
      const answering = comeBack(process, callback, cookie);
      await until(async () => (await stateOf(attempt)) === 'exchanged');
      await proxy.cut();
      expect((await answering).statusCode).toBe(202);
      await proxy.mend();
      process.workflows.isDown = false;
      expect((await comeBack(process, callback, cookie)).statusCode).toBe(200);
      expect(api.exchanges() - before).toBe(1);
    } finally {
      await process.close();
      await proxy.close();
    }
  });

  test('already before: 503, the code is not spent, and a repeat connects', async () => {
    const proxy = await startCuttableProxy(api.databaseUrl);
    const process = await api.startProcess({ databaseUrl: proxy.url });
    try {
      const { callback, cookie } = await begin(process, 'pia');
      const before = api.exchanges();
      await proxy.cut();
      const answer = await comeBack(process, callback, cookie);
      expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'database_unavailable']);
      const health = await process.app.inject('/health');
      expect([health.statusCode, health.json<object>()]).toMatchObject([503, { database: 'unreachable' }]);
      expect(api.exchanges()).toBe(before);
      await proxy.mend();
      expect((await comeBack(process, callback, cookie)).statusCode).toBe(200);
    } finally {
      await process.close();
      await proxy.close();
    }
  });
});

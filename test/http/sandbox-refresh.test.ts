import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import {
  callControl,
  connectAccount,
  fetchIdentity,
  refresh,
  revokeToken,
  testClient,
} from '../support/sandbox-client.js';

describe('the sandbox provider: refreshing', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ clients: [testClient] });
  });
  beforeEach(async () => {
    await callControl(sandbox, 'DELETE', '/faults');
    await callControl(sandbox, 'DELETE', '/counters');
  });
  afterAll(() => sandbox.close());

  const postFault = async (body: unknown): Promise<number> =>
    (await callControl(sandbox, 'POST', '/faults', { body })).status;
  const setPolicy = async (login: string, body: unknown): Promise<number> =>
    (await callControl(sandbox, 'PUT', `/accounts/${login}/policy`, { body })).status;
  const postRefresh = (token: string): Promise<Response> =>
    fetch(`${sandbox.url}/oauth/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${testClient.clientId}:${testClient.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
    });

  describe('the policy of an account', () => {
    afterEach(async () => {
      await callControl(sandbox, 'DELETE', '/accounts/globex/policy');
    });

    test('rotation is switched on and off for grants that exist', async () => {
      const first = (await connectAccount(sandbox, 'globex')).refresh_token ?? '';
      expect((await refresh(sandbox, first)).refresh_token).toBe(first);
      expect(await setPolicy('globex', { refreshToken: 'rotated' })).toBe(204);
      const second = (await refresh(sandbox, first)).refresh_token ?? '';
      expect(second).not.toBe(first);
      await callControl(sandbox, 'DELETE', '/accounts/globex/policy');
      expect((await refresh(sandbox, second)).refresh_token).toBe(second);
    });

    test('an account can be kept from getting refresh tokens', async () => {
      await setPolicy('globex', { refreshToken: 'none' });
      expect((await connectAccount(sandbox, 'globex')).refresh_token).toBeUndefined();
    });

    test('the lifetime and the length of tokens follow it', async () => {
      await setPolicy('globex', { accessTokenTtl: 7, tokenLength: 8192 });
      const tokens = await connectAccount(sandbox, 'globex');
      expect(tokens.expires_in).toBe(7);
      expect(tokens.access_token).toHaveLength(8192);
      expect((await fetchIdentity(sandbox, tokens.access_token)).status).toBe(200);
      const next = await refresh(sandbox, tokens.refresh_token ?? '');
      expect((await fetchIdentity(sandbox, next.access_token)).status).toBe(200);
    });

    test.each([{ refreshToken: 'sometimes' }, { accessTokenTtl: 0 }, { other: 1 }])('refuses %j', async body => {
      expect(await setPolicy('globex', body)).toBe(400);
    });
  });

  test('of 20 refreshes at once with one token of an account that rotates, one succeeds and the grant is dead', async () => {
    const { refresh_token = '' } = await connectAccount(sandbox, 'initech');
    const answers = await Promise.all(Array.from({ length: 20 }, () => postRefresh(refresh_token)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const { access_token } = (await won[0]?.json()) as { access_token: string };
    expect((await fetchIdentity(sandbox, access_token)).status).toBe(401);
  });

  test('a revoked refresh token takes its grant with it (RFC 7009 section 2.1), and each request counts', async () => {
    const tokens = await connectAccount(sandbox, 'umbrella-ann');
    await revokeToken(sandbox, tokens.refresh_token ?? '');
    expect((await fetchIdentity(sandbox, tokens.access_token)).status).toBe(401);
    await expect(refresh(sandbox, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await postFault({ endpoint: 'revoke', status: 503, count: 1 });
    await expect(revokeToken(sandbox, 'unknown')).rejects.toBeDefined();
    await expect(revokeToken(sandbox, 'unknown')).resolves.toBeUndefined();
    expect(await (await callControl(sandbox, 'GET', '/counters')).json()).toMatchObject({ revocation_requests: 3 });
  });

  describe('faults of the refresh alone', () => {
    let token: string;
    const login = 'umbrella-bob';

    beforeEach(async () => {
      token = (await connectAccount(sandbox, login)).refresh_token ?? '';
    });

    test('leave the code exchange alone', async () => {
      await postFault({ endpoint: 'refresh', status: 500 });
      await expect(connectAccount(sandbox, login)).resolves.toBeDefined();
      expect((await postRefresh(token)).status).toBe(500);
    });

    test.each([
      ['html', 'text/html', /Bad Gateway/],
      ['empty', 'application/json', /^$/],
      ['garbage', 'application/json', /not JSON/],
    ])('%s', async (kind, type, text) => {
      await postFault({ endpoint: 'refresh', kind, count: 1 });
      const answer = await postRefresh(token);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(type);
      expect(await answer.text()).toMatch(text);
    });

    test('huge is 10 MB of JSON', async () => {
      await postFault({ endpoint: 'refresh', kind: 'huge', count: 1 });
      expect((await (await postRefresh(token)).arrayBuffer()).byteLength).toBeGreaterThan(10 * 1024 * 1024);
    });

    test.each([
      [200, { error: 'bad_refresh_token' }],
      [403, { error: 'invalid_grant' }],
      [401, { error: 'invalid_client' }],
      [429, { error: 'rate_limited' }],
    ])('status %d with %j', async (status, body) => {
      await postFault({ endpoint: 'refresh', status, body, retryAfter: 3, count: 1 });
      const answer = await postRefresh(token);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('retry-after')).toBe('3');
      expect(await answer.json()).toEqual(body);
    });

    test.each([0, -1, '3600', 3_600_000])('expires_in %j, with tokens that work', async expires_in => {
      await postFault({ endpoint: 'refresh', alter: { expires_in }, count: 1 });
      const answer = (await (await postRefresh(token)).json()) as { access_token: string };
      expect(answer).toMatchObject({ expires_in, refresh_token: token });
      expect((await fetchIdentity(sandbox, answer.access_token)).status).toBe(200);
    });

    test('no expires_in and no refresh_token', async () => {
      await postFault({ endpoint: 'refresh', omit: ['expires_in', 'refresh_token'], count: 1 });
      const answer = (await (await postRefresh(token)).json()) as object;
      expect(Object.keys(answer).sort()).toEqual(['access_token', 'scope', 'token_type']);
    });

    test('a late answer is one of a refresh that happened before the wait', async () => {
      const rotating = (await connectAccount(sandbox, 'initech')).refresh_token ?? '';
      await postFault({ endpoint: 'refresh', kind: 'late', delayMs: 60_000, count: 1 });
      const gone = await fetch(`${sandbox.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: rotating,
          client_id: testClient.clientId,
          client_secret: testClient.clientSecret,
        }),
        signal: AbortSignal.timeout(300),
      }).catch((error: unknown) => error);
      expect(gone).toMatchObject({ name: 'TimeoutError' });
      expect(await (await postRefresh(rotating)).json()).toMatchObject({ error: 'invalid_grant' });
    });
  });
});

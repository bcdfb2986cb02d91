import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { callControl, connectAccount, fetchIdentity, refresh, testClient } from '../support/sandbox-client.js';

describe('the sandbox provider: control API', () => {
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

  describe('revoke', () => {
    test('kills access and refresh tokens of that account, and of no other', async () => {
      const [revoked, untouched] = await Promise.all([
        connectAccount(sandbox, 'globex'),
        connectAccount(sandbox, 'acme'),
      ]);
      expect((await callControl(sandbox, 'POST', '/accounts/globex/revoke')).status).toBe(200);
      expect((await fetchIdentity(sandbox, revoked.access_token)).status).toBe(401);
      await expect(refresh(sandbox, revoked.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
      expect((await fetchIdentity(sandbox, untouched.access_token)).status).toBe(200);
      const again = await connectAccount(sandbox, 'globex');
      expect((await fetchIdentity(sandbox, again.access_token)).status).toBe(200);
    });

    test('takes one user by login, or all of an account by its id', async () => {
      const ann = await connectAccount(sandbox, 'umbrella-ann');
      const bob = await connectAccount(sandbox, 'umbrella-bob');
      await callControl(sandbox, 'POST', '/accounts/umbrella-ann/revoke');
      expect((await fetchIdentity(sandbox, ann.access_token)).status).toBe(401);
      expect((await fetchIdentity(sandbox, bob.access_token)).status).toBe(200);
      await callControl(sandbox, 'POST', '/accounts/acct_umbrella/revoke');
      expect((await fetchIdentity(sandbox, bob.access_token)).status).toBe(401);
    });

    test('expire ends access tokens and leaves the refresh token', async () => {
      const tokens = await connectAccount(sandbox, 'globex');
      expect((await callControl(sandbox, 'POST', '/accounts/globex/expire')).status).toBe(200);
      expect((await fetchIdentity(sandbox, tokens.access_token)).status).toBe(401);
      const renewed = await refresh(sandbox, tokens.refresh_token ?? '');
      expect((await fetchIdentity(sandbox, renewed.access_token)).status).toBe(200);
    });

    test('an unknown account is 404', async () => {
      expect((await callControl(sandbox, 'POST', '/accounts/nobody/revoke')).status).toBe(404);
    });
  });

  describe('faults', () => {
    let accessToken: string;
    let refreshToken: string;

    beforeAll(async () => {
      const tokens = await connectAccount(sandbox, 'umbrella-bob');
      accessToken = tokens.access_token;
      refreshToken = tokens.refresh_token ?? '';
    });

    test.each([401, 429, 500, 503])('answers %d as often as asked, then the truth', async status => {
      expect(await postFault({ endpoint: 'identity', status, count: 2 })).toBe(201);
      const statuses: number[] = [];
      for (let i = 0; i < 3; i += 1) statuses.push((await fetchIdentity(sandbox, accessToken)).status);
      expect(statuses).toEqual([status, status, 200]);
    });

    test('lasts until cleared without a count, and leaves the other endpoint alone', async () => {
      await postFault({ endpoint: 'token', status: 503 });
      for (let i = 0; i < 3; i += 1)
        await expect(refresh(sandbox, refreshToken)).rejects.toHaveProperty('cause.status', 503);
      expect((await fetchIdentity(sandbox, accessToken)).status).toBe(200);
      expect((await callControl(sandbox, 'DELETE', '/faults')).status).toBe(204);
      await expect(refresh(sandbox, refreshToken)).resolves.toMatchObject({ refresh_token: refreshToken });
    });

    test.each([
      [7, '7'],
      ['Wed, 21 Oct 2026 07:28:00 GMT', 'Wed, 21 Oct 2026 07:28:00 GMT'],
    ])('sends Retry-After %s and the body given', async (retryAfter, header) => {
      await postFault({ endpoint: 'identity', status: 429, retryAfter, body: { ok: false }, count: 1 });
      const response = await fetchIdentity(sandbox, accessToken);
      expect(response.headers.get('retry-after')).toBe(header);
      expect(await response.json()).toEqual({ ok: false });
    });

    test('can hide an error in a 200', async () => {
      await postFault({ endpoint: 'token', status: 200, body: { error: 'bad_refresh_token' }, count: 1 });
      await expect(refresh(sandbox, refreshToken)).rejects.toMatchObject({
        name: 'OperationProcessingError',
        cause: { body: { error: 'bad_refresh_token' } },
      });
    });

    test('faults happen in the order posted', async () => {
      await postFault({ endpoint: 'identity', status: 503, count: 1 });
      await postFault({ endpoint: 'identity', status: 429, count: 1 });
      expect((await fetchIdentity(sandbox, accessToken)).status).toBe(503);
      expect((await fetchIdentity(sandbox, accessToken)).status).toBe(429);
    });

    test('hang never answers', async () => {
      await postFault({ endpoint: 'identity', kind: 'hang', count: 1 });
      const error: unknown = await fetchIdentity(sandbox, accessToken, AbortSignal.timeout(300)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: 'TimeoutError' });
    });

    test.each(['token', 'identity'] as const)('reset breaks the connection of %s', async endpoint => {
      await postFault({ endpoint, kind: 'reset', count: 1 });
      const call = endpoint === 'token' ? refresh(sandbox, refreshToken) : fetchIdentity(sandbox, accessToken);
      await expect(call).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    });

    test('garbage is no JSON under a JSON content type', async () => {
      await postFault({ endpoint: 'identity', kind: 'garbage', count: 1 });
      const response = await fetchIdentity(sandbox, accessToken);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/json');
      await expect(response.json()).rejects.toThrow('not valid JSON');
    });

    test('delayMs alone gives the true answer late', async () => {
      await postFault({ endpoint: 'identity', delayMs: 150, count: 1 });
      const started = performance.now();
      expect((await fetchIdentity(sandbox, accessToken)).status).toBe(200);
      expect(performance.now() - started).toBeGreaterThan(140);
    });

    test('a lost answer is a refresh that happened: the old refresh token is spent', async () => {
      const tokens = await connectAccount(sandbox, 'initech');
      await postFault({ endpoint: 'token', kind: 'lost', count: 1 });
      await expect(refresh(sandbox, tokens.refresh_token ?? '')).rejects.toMatchObject({
        cause: { code: 'ECONNRESET' },
      });
      await expect(refresh(sandbox, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    });

    test.each([
      {},
      { endpoint: 'token' },
      { endpoint: 'consent', status: 500 },
      { endpoint: 'token', status: 99 },
      { endpoint: 'token', status: 500, count: 0 },
      { endpoint: 'token', status: 500, extra: true },
    ])('refuses %j', async body => {
      expect(await postFault(body)).toBe(400);
      expect((await fetchIdentity(sandbox, accessToken)).status).toBe(200);
    });
  });

  test('counters tell requests by kind, spoiled ones included', async () => {
    const tokens = await connectAccount(sandbox, 'globex');
    await refresh(sandbox, tokens.refresh_token ?? '');
    await expect(refresh(sandbox, 'made-up')).rejects.toMatchObject({ error: 'invalid_grant' });
    await postFault({ endpoint: 'token', status: 500, count: 1 });
    await expect(refresh(sandbox, tokens.refresh_token ?? '')).rejects.toHaveProperty('cause.status', 500);
    await fetchIdentity(sandbox, tokens.access_token);
    const counters: unknown = await (await callControl(sandbox, 'GET', '/counters')).json();
    expect(counters).toEqual({
      token_requests: 4,
      identity_requests: 1,
      revocation_requests: 0,
      by_grant_type: { authorization_code: 1, refresh_token: 3 },
    });
    expect((await callControl(sandbox, 'DELETE', '/counters')).status).toBe(204);
    expect(await (await callControl(sandbox, 'GET', '/counters')).json()).toEqual({
      token_requests: 0,
      identity_requests: 0,
      revocation_requests: 0,
      by_grant_type: {},
    });
  });

  test('every part of it is refused without the right key', async () => {
    const tokens = await connectAccount(sandbox, 'acme');
    const calls = [
      ['POST', '/accounts/acme/revoke'],
      ['POST', '/accounts/acme/expire'],
      ['PUT', '/accounts/acme/policy'],
      ['DELETE', '/accounts/acme/policy'],
      ['POST', '/accounts/acme/keys'],
      ['POST', '/faults'],
      ['DELETE', '/faults'],
      ['GET', '/counters'],
      ['DELETE', '/counters'],
    ] as const;
    for (const [method, path] of calls) {
      const body = path === '/faults' && method === 'POST' ? { endpoint: 'identity', status: 500 } : undefined;
      for (const key of ['wrong-key-wrong-key', `${sandbox.controlKey}x`, '']) {
        expect((await callControl(sandbox, method, path, { body, key })).status).toBe(401);
      }
    }
    expect((await fetchIdentity(sandbox, tokens.access_token)).status).toBe(200);
  });
});

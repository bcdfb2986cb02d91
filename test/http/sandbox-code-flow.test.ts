import { setTimeout as delay } from 'node:timers/promises';
import * as oauth from 'oauth4webapi';
import { CookieJar } from '../../src/embedded/sandbox/cookie-jar.js';
import { driveConsent } from '../../src/embedded/sandbox/drive-consent.js';
import { sandboxPaths } from '../../src/embedded/sandbox/paths.js';
import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import {
  buildAuthorizeUrl,
  connectAccount,
  fetchIdentity,
  refresh,
  revokeToken,
  testClient,
} from '../support/sandbox-client.js';

describe('the sandbox provider: code flow', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ clients: [testClient], accessTokenTtl: { globex: 3 } });
  });
  afterAll(() => sandbox.close());

  test('an account without refresh tokens gets an access token that outlives everything', async () => {
    const tokens = await connectAccount(sandbox, 'acme');
    expect(tokens.refresh_token).toBeUndefined();
    expect(tokens.expires_in).toBeGreaterThan(365 * 24 * 3600);
    const identity = await fetchIdentity(sandbox, tokens.access_token);
    expect(identity.status).toBe(200);
    expect(await identity.json()).toEqual({
      account_id: 'acct_acme',
      account_name: 'Acme',
      user_id: 'user_acme_owner',
      user_name: 'Owner',
    });
  });

  test('an account that keeps its refresh token answers each refresh with the same one', async () => {
    const first = await connectAccount(sandbox, 'umbrella-ann');
    const second = await refresh(sandbox, first.refresh_token ?? '');
    const third = await refresh(sandbox, first.refresh_token ?? '');
    expect(second.refresh_token).toBe(first.refresh_token);
    expect(new Set([first.access_token, second.access_token, third.access_token]).size).toBe(3);
    expect((await fetchIdentity(sandbox, third.access_token)).status).toBe(200);
  });

  test('an account that rotates refuses a spent refresh token, and ends the grant over it', async () => {
    const first = await connectAccount(sandbox, 'initech');
    expect(first.expires_in).toBe(60);
    const second = await refresh(sandbox, first.refresh_token ?? '');
    expect(second.refresh_token).toEqual(expect.any(String));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect((await fetchIdentity(sandbox, second.access_token)).status).toBe(200);
    await expect(refresh(sandbox, first.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(refresh(sandbox, second.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await fetchIdentity(sandbox, second.access_token)).status).toBe(401);
  });

  test('an access token past its time is refused with a challenge; its refresh token still works', async () => {
    const tokens = await connectAccount(sandbox, 'globex');
    expect(tokens.expires_in).toBe(3);
    await delay(4_100);
    const refused = await fetchIdentity(sandbox, tokens.access_token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    const renewed = await refresh(sandbox, tokens.refresh_token ?? '');
    expect((await fetchIdentity(sandbox, renewed.access_token)).status).toBe(200);
  });

  test('two users of one account share its id and nothing else', async () => {
    const [ann, bob] = await Promise.all([
      connectAccount(sandbox, 'umbrella-ann'),
      connectAccount(sandbox, 'umbrella-bob'),
    ]);
    const [one, other] = await Promise.all(
      [ann, bob].map(async tokens => (await fetchIdentity(sandbox, tokens.access_token)).json()),
    );
    expect(one).toMatchObject({ account_id: 'acct_umbrella', user_id: 'user_umbrella_owner' });
    expect(other).toMatchObject({ account_id: 'acct_umbrella', user_id: 'user_umbrella_admin' });
  });

  test('the client may authenticate by header or by body, and not with a wrong secret', async () => {
    for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      await expect(connectAccount(sandbox, 'hooli', authenticate(testClient.clientSecret))).resolves.toMatchObject({
        access_token: expect.any(String) as unknown,
      });
      await expect(connectAccount(sandbox, 'hooli', authenticate('wrong'))).rejects.toMatchObject({ status: 401 });
    }
  });

  test('a request without a scope parameter and without PKCE is served', async () => {
    const startUrl = await buildAuthorizeUrl(sandbox, { state: 's1' });
    const { finalUrl } = await driveConsent({ startUrl, account: 'acme' });
    const answer = new URL(finalUrl).searchParams;
    expect(answer.get('state')).toBe('s1');
    expect(answer.get('iss')).toBe(sandbox.url);
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: testClient.redirectUris[0],
      client_id: testClient.clientId,
      client_secret: testClient.clientSecret,
    });
    const exchange = (): Promise<Response> => fetch(sandbox.url + sandboxPaths.token, { method: 'POST', body });
    const response = await exchange();
    expect(response.status).toBe(200);
    const { access_token } = (await response.json()) as { access_token: string };
    const again = await exchange();
    expect(again.status).toBe(400);
    expect(await again.json()).toMatchObject({ error: 'invalid_grant' });
    // RFC 6749 section 4.1.2: a code used twice takes its tokens with it.
    expect((await fetchIdentity(sandbox, access_token)).status).toBe(401);
  });

  test.each([
    ['Zoho', 'scope=ZohoCRM.modules.ALL,AaaServer.profile.READ&access_type=offline&prompt=consent'],
    ['Google', 'scope=accounts:read%20offline_access&access_type=offline&prompt=consent&include_granted_scopes=true'],
    ['HubSpot', 'scope=oauth%20crm.objects.contacts.read&optional_scope=tickets'],
  ])('an authorization request in the dialect of %s is served', async (_dialect, query) => {
    const startUrl = `${await buildAuthorizeUrl(sandbox, { state: 's3' })}&${query}`;
    const { finalUrl } = await driveConsent({ startUrl, account: 'umbrella-ann' });
    expect(new URL(finalUrl).searchParams.get('code')).toEqual(expect.any(String));
  });

  test('a code is refused without the verifier it was asked with', async () => {
    const verifier = oauth.generateRandomCodeVerifier();
    const startUrl = await buildAuthorizeUrl(sandbox, { state: 's1', verifier });
    const { finalUrl } = await driveConsent({ startUrl, account: 'acme' });
    const response = await fetch(sandbox.url + sandboxPaths.token, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: new URL(finalUrl).searchParams.get('code') ?? '',
        redirect_uri: testClient.redirectUris[0],
        client_id: testClient.clientId,
        client_secret: testClient.clientSecret,
      }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
  });

  test('one browser can choose another account each time', async () => {
    const cookies = new CookieJar();
    for (const account of ['acme', 'hooli', 'acme']) {
      const startUrl = await buildAuthorizeUrl(sandbox, { state: account });
      const { finalUrl } = await driveConsent({ startUrl, account, cookies });
      expect(new URL(finalUrl).searchParams.has('code')).toBe(true);
    }
  });

  test('Deny gives access_denied and no code', async () => {
    const startUrl = await buildAuthorizeUrl(sandbox, { state: 's2' });
    const { finalUrl } = await driveConsent({ startUrl, account: 'acme', decision: 'deny' });
    expect(finalUrl.startsWith(testClient.redirectUris[0])).toBe(true);
    const answer = new URL(finalUrl).searchParams;
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state: 's2', iss: sandbox.url });
    expect(answer.has('code')).toBe(false);
  });

  test('the revocation endpoint ends the grant', async () => {
    const tokens = await connectAccount(sandbox, 'umbrella-ann');
    await revokeToken(sandbox, tokens.refresh_token ?? '');
    expect((await fetchIdentity(sandbox, tokens.access_token)).status).toBe(401);
    await expect(refresh(sandbox, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('the identity endpoint refuses what is no token of ours', async () => {
    const without = await fetch(sandbox.url + sandboxPaths.identity);
    expect(without.status).toBe(401);
    expect(without.headers.get('www-authenticate')).toBe('Bearer realm="sandbox"');
    expect((await fetchIdentity(sandbox, 'made-up')).status).toBe(401);
  });
});

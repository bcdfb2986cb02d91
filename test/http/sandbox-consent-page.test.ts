import { sandboxAccounts } from '../../src/embedded/sandbox/accounts.js';
import { CookieJar } from '../../src/embedded/sandbox/cookie-jar.js';
import { driveConsent } from '../../src/embedded/sandbox/drive-consent.js';
import { type Sandbox, startSandbox } from '../../src/embedded/sandbox/start-sandbox.js';
import { buildAuthorizeUrl, testClient } from '../support/sandbox-client.js';

describe('the sandbox provider: consent page', () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ clients: [{ ...testClient, name: 'Bits & <Bobs>' }] });
  });
  afterAll(() => sandbox.close());

  async function openPage(): Promise<{ url: string; cookies: CookieJar; response: Response }> {
    const cookies = new CookieJar();
    const authorize = await fetch(await buildAuthorizeUrl(sandbox, { state: 's' }), { redirect: 'manual' });
    const url = new URL(authorize.headers.get('location') ?? '', sandbox.url);
    cookies.store(url, authorize.headers.getSetCookie());
    const response = await fetch(url, { headers: { cookie: cookies.headerFor(url) ?? '' } });
    return { url: url.href, cookies, response };
  }

  test('names the client, offers every account, and holds no script', async () => {
    const { response } = await openPage();
    expect(response.status).toBe(200);
    const html = await response.text();
    expect(html).toContain('Bits &#38; &#60;Bobs&#62; wants to connect');
    for (const { login } of sandboxAccounts) expect(html).toContain(`type="radio" name="account" value="${login}"`);
    expect(html).not.toContain('<script');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([['account=acme'], ['decision=allow'], ['decision=allow&account=nobody'], ['']])(
    'shows itself again for the answer "%s"',
    async body => {
      const { url, cookies } = await openPage();
      const headers = {
        cookie: cookies.headerFor(new URL(url)) ?? '',
        'content-type': 'application/x-www-form-urlencoded',
      };
      const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual' });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('role="alert"');
    },
  );

  test('is refused to a browser without its cookie', async () => {
    const { url } = await openPage();
    const body = new URLSearchParams({ account: 'acme', decision: 'allow' });
    expect((await fetch(url)).status).toBe(400);
    expect((await fetch(url, { method: 'POST', body, redirect: 'manual' })).status).toBe(400);
  });

  test('an unregistered redirect URI gets a page, never a redirect', async () => {
    const url = new URL(await buildAuthorizeUrl(sandbox, { state: 's' }));
    url.searchParams.set('redirect_uri', 'http://127.0.0.1:9/elsewhere');
    const response = await fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(await response.text()).toContain('redirect_uri');
  });

  test('driving the page fails by name for an account it does not offer', async () => {
    const startUrl = await buildAuthorizeUrl(sandbox, { state: 's' });
    await expect(driveConsent({ startUrl, account: 'nobody' })).rejects.toThrow('offers no account nobody');
  });
});

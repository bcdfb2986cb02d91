import { createHash } from 'node:crypto';
import { createAuthorizationUrl } from '../../../src/providers/create-authorization-url.js';
import { loadProviders } from '../../../src/providers/load-providers.js';
import { Secret } from '../../../src/vault/secret.js';

const client = { clientId: 'client id&1', clientSecret: new Secret('hunter2') };
const providers = loadProviders({
  attio: client,
  pipedrive: client,
  zoho: client,
  sandbox: {
    ...client,
    authorizationUrl: 'https://sandbox.test/authorize?tenant=a%20b',
    tokenUrl: 'https://sandbox.test/token',
    identityUrl: 'https://sandbox.test/identity',
    issuer: 'https://sandbox.test',
  },
});
const verifier = 'v'.repeat(43);
const request = {
  redirectUri: 'https://relink.test/api/oauth/callback/x',
  state: 'state-1',
  codeVerifier: new Secret(verifier),
};
const core = { response_type: 'code', client_id: 'client id&1', redirect_uri: request.redirectUri, state: 'state-1' };
const pkce = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};

async function split(id: string) {
  const url = new URL(await createAuthorizationUrl(providers.get(id), request));
  return { endpoint: `${url.origin}${url.pathname}`, parameters: Object.fromEntries(url.searchParams), url: url.href };
}

test('attio: PKCE, and no scope parameter', async () => {
  const { endpoint, parameters } = await split('attio');
  expect(endpoint).toBe('https://app.attio.com/authorize');
  expect(parameters).toEqual({ ...core, ...pkce });
});

test('pipedrive: neither PKCE nor scope', async () => {
  const { endpoint, parameters } = await split('pipedrive');
  expect(endpoint).toBe('https://oauth.pipedrive.com/oauth/authorize');
  expect(parameters).toEqual(core);
});

test('zoho: scopes with commas, offline access, consent every time', async () => {
  const { endpoint, parameters } = await split('zoho');
  expect(endpoint).toBe('https://accounts.zoho.com/oauth/v2/auth');
  expect(parameters).toEqual({
    ...core,
    ...pkce,
    scope: 'ZohoCRM.org.READ,ZohoCRM.modules.ALL',
    access_type: 'offline',
    prompt: 'consent',
  });
});

test('sandbox: scopes with spaces; what the configured address already carries stays', async () => {
  const { parameters } = await split('sandbox');
  expect(parameters).toEqual({
    ...core,
    ...pkce,
    tenant: 'a b',
    scope: 'accounts:read offline_access',
    prompt: 'consent',
  });
});

test('neither the verifier nor the client secret is in it', async () => {
  for (const { id } of providers.list()) {
    const { url } = await split(id);
    expect(url).not.toContain(verifier);
    expect(url).not.toContain('hunter2');
  }
});

test('a missing verifier is noticed where PKCE is on', async () => {
  const without = { ...request, codeVerifier: null };
  await expect(createAuthorizationUrl(providers.get('attio'), without)).rejects.toMatchObject({ code: 'internal' });
  await expect(createAuthorizationUrl(providers.get('pipedrive'), without)).resolves.toContain('oauth.pipedrive.com');
});

import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { Secret } from '../../../src/vault/secret.js';
import { replyJson, startWireProvider, type WireProvider } from '../../support/wire-provider.js';
import { wireUp } from '../../support/wire-settings.js';

let wire: WireProvider;
beforeAll(async () => {
  wire = await startWireProvider(replyJson(200, { access_token: 'at', token_type: 'Bearer', expires_in: 3600 }));
});
afterAll(async () => {
  await wire.close();
  await closeProviderConnections();
});

const verifier = 'v'.repeat(43);
const code = 'code/with+odd=signs & spaces';
const redirectUri = 'https://relink.test/api/oauth/callback/x';
const common = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
const inBody = { client_id: 'wire client', client_secret: 'wire/secret:1' };
// RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
const inHeader = `Basic ${Buffer.from('wire+client:wire%2Fsecret%3A1').toString('base64')}`;

async function send(id: string) {
  const provider = wireUp(id, wire);
  await exchangeCode(provider, {
    callback: { code, state: 's', ...(provider.issuer === null ? {} : { iss: provider.issuer }) },
    state: 's',
    redirectUri,
    codeVerifier: new Secret(verifier),
  });
  const request = wire.requests.at(-1);
  if (request === undefined) throw new Error('no request');
  return { ...request, form: Object.fromEntries(new URLSearchParams(request.body)) };
}

test.each(['attio', 'pipedrive', 'zoho', 'sandbox'])('%s: one POST of a form, asking for JSON', async id => {
  const before = wire.requests.length;
  const { method, path, headers } = await send(id);
  expect(wire.requests).toHaveLength(before + 1);
  expect({ method, path }).toEqual({ method: 'POST', path: '/token' });
  expect(headers).toMatchObject({
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'accept-encoding': 'identity',
    'user-agent': 'relink',
    // A code is spent on a connection of its own: none that the server may be closing for its age.
    connection: 'close',
  });
});

test.each(['attio', 'zoho'])('%s: client id and secret in the body, PKCE', async id => {
  const { form, headers } = await send(id);
  expect(form).toEqual({ ...common, ...inBody, code_verifier: verifier });
  expect(headers.authorization).toBeUndefined();
});

test('pipedrive: client in the Basic header only, no PKCE', async () => {
  const { form, headers } = await send('pipedrive');
  expect(form).toEqual(common);
  expect(headers.authorization).toBe(inHeader);
});

test('sandbox: client in the Basic header only, PKCE', async () => {
  const { form, headers } = await send('sandbox');
  expect(form).toEqual({ ...common, code_verifier: verifier });
  expect(headers.authorization).toBe(inHeader);
});

test('a missing verifier is noticed before the code is spent', async () => {
  const before = wire.requests.length;
  const exchange = { callback: { code, state: 's' }, state: 's', redirectUri, codeVerifier: null };
  await expect(exchangeCode(wireUp('attio', wire), exchange)).rejects.toMatchObject({ code: 'internal' });
  expect(wire.requests).toHaveLength(before);
});

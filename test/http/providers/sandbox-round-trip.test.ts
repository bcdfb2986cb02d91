import { generateRandomCodeVerifier, generateRandomState } from 'oauth4webapi';
import { driveConsent } from '../../../src/embedded/sandbox/drive-consent.js';
import { sandboxPaths } from '../../../src/embedded/sandbox/paths.js';
import { startSandbox, type Sandbox } from '../../../src/embedded/sandbox/start-sandbox.js';
import { createAuthorizationUrl } from '../../../src/providers/create-authorization-url.js';
import { exchangeCode } from '../../../src/providers/exchange-code.js';
import { closeProviderConnections } from '../../../src/providers/guarded-dispatcher.js';
import { identifyAccount } from '../../../src/providers/identify-account.js';
import { loadProviders } from '../../../src/providers/load-providers.js';
import type { Provider } from '../../../src/providers/configure-provider.js';
import { Secret } from '../../../src/vault/secret.js';
import { testClient } from '../../support/sandbox-client.js';
import { rejection } from '../../support/wire-settings.js';

let sandbox: Sandbox;
let provider: Provider;
beforeAll(async () => {
  sandbox = await startSandbox({ clients: [testClient], quiet: true });
  provider = loadProviders({
    sandbox: {
      clientId: testClient.clientId,
      clientSecret: new Secret(testClient.clientSecret),
      authorizationUrl: sandbox.url + sandboxPaths.authorize,
      tokenUrl: sandbox.url + sandboxPaths.token,
      identityUrl: sandbox.url + sandboxPaths.identity,
      issuer: sandbox.url,
      allowInsecure: true,
    },
  }).get('sandbox');
});
afterAll(async () => {
  await sandbox.close();
  await closeProviderConnections();
});

async function consent(account: string, decision: 'allow' | 'deny' = 'allow') {
  const redirectUri = testClient.redirectUris[0];
  const state = generateRandomState();
  const codeVerifier = new Secret(generateRandomCodeVerifier());
  const startUrl = await createAuthorizationUrl(provider, { redirectUri, state, codeVerifier });
  const { finalUrl } = await driveConsent({ startUrl, account, decision });
  return { callback: Object.fromEntries(new URL(finalUrl).searchParams), state, redirectUri, codeVerifier };
}

test.each([
  ['acme', false, 'acct_acme', 'acct_acme:user_acme_owner'],
  ['globex', true, 'acct_globex', 'acct_globex:user_globex_owner'],
  ['umbrella-ann', true, 'acct_umbrella', 'acct_umbrella:user_umbrella_owner'],
  ['umbrella-bob', true, 'acct_umbrella', 'acct_umbrella:user_umbrella_admin'],
])('%s connects and is identified', async (account, refreshable, entityExternalId, credentialExternalId) => {
  const tokens = await exchangeCode(provider, await consent(account));
  expect(tokens.refreshToken !== null).toBe(refreshable);
  expect(tokens.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  expect(await identifyAccount(provider, tokens)).toMatchObject({
    kind: 'ok',
    identity: { entityExternalId, credentialExternalId },
  });
});

test('a user who declines is an ordinary answer', async () => {
  expect(await rejection(exchangeCode(provider, await consent('acme', 'deny')))).toMatchObject({
    code: 'access_denied',
  });
});

test('a code is good for one exchange', async () => {
  const exchange = await consent('acme');
  await exchangeCode(provider, exchange);
  expect(await rejection(exchangeCode(provider, exchange))).toMatchObject({
    code: 'exchange_refused',
    detail: 'invalid_grant',
  });
});

test('a wrong client secret is the operator’s fault', async () => {
  const wrong = { ...provider, clientSecret: new Secret('wrong') };
  expect(await rejection(exchangeCode(wrong, await consent('acme')))).toMatchObject({ code: 'client_rejected' });
});

test('a token the sandbox never issued is refused', async () => {
  const tokens = await exchangeCode(provider, await consent('acme'));
  const forged = { ...tokens, accessToken: new Secret('forged') };
  expect(await identifyAccount(provider, forged)).toEqual({ kind: 'refused', httpStatus: 401 });
});

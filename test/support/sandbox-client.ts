import * as oauth from 'oauth4webapi';
import { driveConsent } from '../../src/embedded/sandbox/drive-consent.js';
import { sandboxPaths } from '../../src/embedded/sandbox/paths.js';
import type { Sandbox } from '../../src/embedded/sandbox/start-sandbox.js';

/** The client that tests register at the sandbox. Nothing listens at its redirect URI: no test follows it. */
export const testClient = {
  clientId: 'test-client',
  clientSecret: 'test-secret-of-the-sandbox-client',
  name: 'Test Product',
  redirectUris: ['http://127.0.0.1:9/callback'],
} as const;

const redirectUri = testClient.redirectUris[0];
const http = { [oauth.allowInsecureRequests]: true } as const;

function describeServer(sandbox: Sandbox): oauth.AuthorizationServer {
  return {
    issuer: sandbox.url,
    authorization_endpoint: sandbox.url + sandboxPaths.authorize,
    token_endpoint: sandbox.url + sandboxPaths.token,
    revocation_endpoint: sandbox.url + sandboxPaths.revoke,
    authorization_response_iss_parameter_supported: true,
  };
}

const client: oauth.Client = { client_id: testClient.clientId };

/** Builds the address a client sends the browser to. */
export async function buildAuthorizeUrl(
  sandbox: Sandbox,
  options: { state: string; verifier?: string; scope?: string },
): Promise<string> {
  const url = new URL(sandbox.url + sandboxPaths.authorize);
  url.searchParams.set('client_id', testClient.clientId);
  url.searchParams.set('redirect_uri', redirectUri);
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('state', options.state);
  if (options.scope !== undefined) url.searchParams.set('scope', options.scope);
  if (options.verifier !== undefined) {
    url.searchParams.set('code_challenge', await oauth.calculatePKCECodeChallenge(options.verifier));
    url.searchParams.set('code_challenge_method', 'S256');
  }
  return url.href;
}

export interface TestTokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
}

/** The whole code flow with PKCE through oauth4webapi, which checks `state` and `iss` (RFC 9207) on the way. */
export async function connectAccount(
  sandbox: Sandbox,
  account: string,
  authentication: oauth.ClientAuth = oauth.ClientSecretPost(testClient.clientSecret),
): Promise<TestTokens> {
  const state = oauth.generateRandomState();
  const verifier = oauth.generateRandomCodeVerifier();
  const startUrl = await buildAuthorizeUrl(sandbox, { state, verifier, scope: 'accounts:read offline_access' });
  const { finalUrl } = await driveConsent({ startUrl, account });
  const server = describeServer(sandbox);
  const answer = oauth.validateAuthResponse(server, client, new URL(finalUrl), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    answer,
    redirectUri,
    verifier,
    http,
  );
  return pickTokens(await oauth.processAuthorizationCodeResponse(server, client, response));
}

/** @throws oauth.ResponseBodyError with the server's `error`. */
export async function refresh(sandbox: Sandbox, refreshToken: string, signal?: AbortSignal): Promise<TestTokens> {
  const server = describeServer(sandbox);
  const response = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.ClientSecretBasic(testClient.clientSecret),
    refreshToken,
    signal ? { ...http, signal } : http,
  );
  return pickTokens(await oauth.processRefreshTokenResponse(server, client, response));
}

/** RFC 6749 section 4.4, as the client that a key of the account is. */
export async function mintToken(sandbox: Sandbox, key: { clientId: string; clientSecret: string }) {
  const server = describeServer(sandbox);
  const self = { client_id: key.clientId };
  const authentication = oauth.ClientSecretBasic(key.clientSecret);
  const scope = { scope: 'accounts:read' };
  const response = await oauth.clientCredentialsGrantRequest(server, self, authentication, scope, http);
  return pickTokens(await oauth.processClientCredentialsResponse(server, self, response));
}

/** RFC 7009. */
export async function revokeToken(sandbox: Sandbox, token: string): Promise<void> {
  const authentication = oauth.ClientSecretPost(testClient.clientSecret);
  const response = await oauth.revocationRequest(describeServer(sandbox), client, authentication, token, http);
  await oauth.processRevocationResponse(response);
}

export function fetchIdentity(sandbox: Sandbox, accessToken: string, signal?: AbortSignal): Promise<Response> {
  return fetch(sandbox.url + sandboxPaths.identity, {
    headers: { authorization: `Bearer ${accessToken}` },
    ...(signal ? { signal } : {}),
  });
}

/** One call of the control API. */
export function callControl(
  sandbox: Sandbox,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: { body?: unknown; key?: string } = {},
): Promise<Response> {
  return fetch(`${sandbox.url}${sandboxPaths.control}${path}`, {
    method,
    headers: { authorization: `Bearer ${options.key ?? sandbox.controlKey}` },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
}

function pickTokens(answer: oauth.TokenEndpointResponse): TestTokens {
  const { access_token, refresh_token, expires_in } = answer;
  return {
    access_token,
    ...(refresh_token === undefined ? {} : { refresh_token }),
    ...(expires_in === undefined ? {} : { expires_in }),
  };
}

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Provider } from 'oidc-provider';
import { z } from 'zod';
import type { AccountKeys } from './account-keys.js';
import { loginOfClient } from './login-of-client.js';
import type { AccountPolicies } from './account-policies.js';
import { pageHeaders, renderErrorPage } from './pages.js';
import type { GrantStore } from './grant-store.js';
import { loadProvider } from './load-provider.js';
import { sandboxPaths, sandboxScope } from './paths.js';

export interface SandboxClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What the consent page calls the client; its id unless given. */
  readonly name?: string;
  readonly redirectUris: readonly string[];
}

/** The cookie that oidc-provider would recognise a returning browser by. The front door drops it from requests. */
export const sessionCookieName = 'sandbox_session';

const minute = 60;
const year = 365 * 24 * 3600;

/**
 * An authorization server for plain OAuth 2.0 (RFC 6749, 7009, 7636, 9207) whose token policy follows the account that
 * was chosen. Clients may authenticate by client_secret_basic or client_secret_post as they like. Each refresh token of
 * an account that rotates is good for one use; a second use ends its grant.
 */
export async function buildProvider(options: {
  readonly issuer: string;
  readonly clients: readonly SandboxClient[];
  readonly store: GrantStore;
  readonly policies: AccountPolicies;
  readonly keys: AccountKeys;
}): Promise<Provider> {
  const { policies, keys } = options;
  const { Provider } = await loadProvider();
  const provider = new Provider(options.issuer, {
    adapter: name => {
      const adapter = options.store.adapter(name);
      return name === 'Client' ? { ...adapter, find: id => keys.findClient(id) } : adapter;
    },
    clients: options.clients.map(client => ({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      client_name: client.name ?? client.clientId,
      redirect_uris: [...client.redirectUris],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    })),
    // No id_token is ever asked for, yet without keys of its own the package falls back to published ones.
    jwks: { keys: [createSigningKey()] },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: { session: sessionCookieName, interaction: 'sandbox_interaction', resume: 'sandbox_resume' },
    },
    scopes: [sandboxScope, 'offline_access'],
    formats: {
      bitsOfOpaqueRandomness: (_ctx, token) => 6 * policies.tokenLength(holderOf(token)),
    },
    routes: {
      authorization: sandboxPaths.authorize,
      token: sandboxPaths.token,
      revocation: sandboxPaths.revoke,
    },
    interactions: { url: (_ctx, interaction) => `${sandboxPaths.consent}/${interaction.uid}` },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
    },
    pkce: { required: () => false },
    clientBasedCORS: () => false,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, _client, source) => policies.refreshToken(source.accountId) !== 'none',
    rotateRefreshToken: ctx => policies.refreshToken(ctx.oidc.entities.RefreshToken?.accountId) === 'rotated',
    ttl: {
      AccessToken: (_ctx, token) => policies.ttl(token.accountId),
      ClientCredentials: (_ctx, _token, client) => policies.ttl(loginOfClient(client.clientId)),
      AuthorizationCode: 5 * minute,
      RefreshToken: year,
      Grant: 20 * year,
      Interaction: 60 * minute,
      Session: 60 * minute,
      IdToken: 5 * minute,
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.set(pageHeaders);
      ctx.body = renderErrorPage(out.error_description ?? out.error);
    },
  });
  // Koa prints errors of clients that hung up; an injected reset is one.
  provider.silent = true;
  return provider;
}

const holderSchema = z.object({ accountId: z.string().optional(), clientId: z.string().optional() });

/** The login that a token is made for; undefined for what is no token of an account. */
function holderOf(token: unknown): string | undefined {
  const { accountId, clientId } = holderSchema.safeParse(token).data ?? {};
  return accountId ?? loginOfClient(clientId);
}

function createSigningKey(): { kty: 'EC'; crv: string; x: string; y: string; d: string } {
  const { crv, x, y, d } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { kty: 'EC', crv: String(crv), x: String(x), y: String(y), d: String(d) };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { AccountKeys } from './account-keys.js';
import { loginOfClient } from './login-of-client.js';
import { findAccountByLogin } from './accounts.js';
import { sandboxPaths } from './paths.js';
import { readBearer, sendJson } from './http-messages.js';

export interface IdentityContext {
  readonly provider: Provider;
  readonly keys: AccountKeys;
}

/**
 * `GET /identity`: whose token this is; at another path in Attio's words, where a token that is not good any more is 200 `{"active": false}`. 200 `{account_id, account_name, user_id, user_name}`, or 401 with a challenge
 * (RFC 6750 section 3) for one that is missing, unknown, expired or revoked. Besides a bearer token it takes an API key
 * in `X-API-Key`, and user name and password by HTTP Basic.
 */
export async function serveIdentity(
  context: IdentityContext,
  pathname: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (req.method !== 'GET') {
    sendJson(res, 405, { error: 'invalid_request' }, { allow: 'GET' });
    return;
  }
  const proof = readProof(req);
  if (proof === undefined) {
    sendJson(res, 401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="sandbox"' });
    return;
  }
  const login =
    proof.kind === 'bearer'
      ? await findTokenHolder(context, proof.value)
      : await context.keys.find(proof.kind, proof.value);
  const account = findAccountByLogin(login);
  if (!account) {
    // docs.attio.com, "Identify": answered like an introspection.
    if (pathname === sandboxPaths.attioSelf) return sendJson(res, 200, { active: false });
    const challenge = 'Bearer realm="sandbox", error="invalid_token", error_description="unknown, expired or revoked"';
    sendJson(res, 401, { error: 'invalid_token' }, { 'www-authenticate': challenge });
    return;
  }
  const { account_id, account_name, user_id, user_name } = account;
  if (pathname === sandboxPaths.attioSelf) {
    return sendJson(res, 200, { active: true, workspace_id: account_id, workspace_name: account_name });
  }
  sendJson(res, 200, { account_id, account_name, user_id, user_name });
}

function readProof(
  req: IncomingMessage,
): { readonly kind: 'bearer' | 'api_key' | 'basic'; readonly value: string } | undefined {
  const apiKey = req.headers['x-api-key'];
  if (typeof apiKey === 'string') return { kind: 'api_key', value: apiKey };
  const basic = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (basic !== undefined) return { kind: 'basic', value: Buffer.from(basic, 'base64').toString('utf8') };
  const bearer = readBearer(req);
  return bearer === undefined ? undefined : { kind: 'bearer', value: bearer };
}

/** The login whose living access token this is, of a grant or of a client. */
async function findTokenHolder({ provider, keys }: IdentityContext, value: string): Promise<string | undefined> {
  const token = await provider.AccessToken.find(value);
  if (token !== undefined) {
    const grant = token.grantId === undefined ? undefined : await provider.Grant.find(token.grantId);
    return token.isValid && grant ? token.accountId : undefined;
  }
  const minted = await provider.ClientCredentials.find(value);
  const clientId = minted?.isValid === true ? minted.clientId : undefined;
  if (clientId === undefined || (await keys.find('client', clientId)) === undefined) return undefined;
  return loginOfClient(clientId);
}

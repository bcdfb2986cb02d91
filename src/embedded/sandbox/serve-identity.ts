import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { findAccountByLogin } from './accounts.js';
import { readBearer, sendJson } from './http-messages.js';

/**
 * `GET /identity`: whose token this is. 200 `{account_id, account_name, user_id, user_name}`, or 401 with a challenge
 * (RFC 6750 section 3) for a token that is missing, unknown, expired or revoked.
 */
export async function serveIdentity(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'GET') {
    sendJson(res, 405, { error: 'invalid_request' }, { allow: 'GET' });
    return;
  }
  const value = readBearer(req);
  if (value === undefined) {
    sendJson(res, 401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="sandbox"' });
    return;
  }
  const token = await provider.AccessToken.find(value);
  const grant = token?.grantId === undefined ? undefined : await provider.Grant.find(token.grantId);
  const account = findAccountByLogin(token?.accountId);
  if (!token?.isValid || !grant || !account) {
    const challenge = 'Bearer realm="sandbox", error="invalid_token", error_description="unknown, expired or revoked"';
    sendJson(res, 401, { error: 'invalid_token' }, { 'www-authenticate': challenge });
    return;
  }
  const { account_id, account_name, user_id, user_name } = account;
  sendJson(res, 200, { account_id, account_name, user_id, user_name });
}

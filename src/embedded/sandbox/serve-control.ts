import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { findLogins } from './accounts.js';
import type { Counters } from './counters.js';
import { type FaultPlan, faultSchema } from './faults.js';
import type { GrantStore } from './grant-store.js';
import { readBearer, readBody, sendJson } from './http-messages.js';
import { sandboxPaths } from './paths.js';

export interface ControlContext {
  readonly controlKey: string;
  readonly store: GrantStore;
  readonly faults: FaultPlan;
  readonly counters: Counters;
}

const accountRoute = new RegExp(`^${sandboxPaths.control}/accounts/([A-Za-z0-9_-]{1,64})/(revoke|expire)$`);

/**
 * The control API, for tests, the demo and a developer's hands. `:account` is a login, or an `account_id` for all of
 * its users.
 *
 * - `POST /control/accounts/:account/revoke` ends every grant: access and refresh tokens are dead at once.
 * - `POST /control/accounts/:account/expire` ends the access tokens only, as if their time had come.
 * - `POST /control/faults`, `DELETE /control/faults`: see {@link faultSchema}.
 * - `GET /control/counters`, `DELETE /control/counters`.
 */
export async function serveControl(
  context: ControlContext,
  pathname: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (!isSame(readBearer(req) ?? '', context.controlKey)) {
    sendJson(res, 401, { error: 'unauthorized' }, { 'www-authenticate': 'Bearer realm="sandbox control"' });
    return;
  }
  const account = accountRoute.exec(pathname);
  if (account?.[1] !== undefined && req.method === 'POST') {
    const logins = findLogins(account[1]);
    if (logins.length === 0) return sendJson(res, 404, { error: 'unknown_account' });
    return account[2] === 'revoke'
      ? sendJson(res, 200, { revoked: context.store.revokeLogins(logins) })
      : sendJson(res, 200, { expired: context.store.expireAccessTokens(logins) });
  }
  switch (`${req.method} ${pathname}`) {
    case `POST ${sandboxPaths.control}/faults`: {
      const fault = faultSchema.safeParse(parseJson(await readBody(req)));
      if (!fault.success) {
        const issues = fault.error.issues.map(issue => ({ path: issue.path.join('.'), message: issue.message }));
        return sendJson(res, 400, { error: 'invalid_request', issues });
      }
      context.faults.add(fault.data);
      return sendJson(res, 201, fault.data);
    }
    case `DELETE ${sandboxPaths.control}/faults`:
      context.faults.clear();
      return sendEmpty(res);
    case `GET ${sandboxPaths.control}/counters`:
      return sendJson(res, 200, context.counters.read());
    case `DELETE ${sandboxPaths.control}/counters`:
      context.counters.reset();
      return sendEmpty(res);
    default:
      return sendJson(res, 404, { error: 'not_found' });
  }
}

function isSame(given: string, expected: string): boolean {
  // Digests, because timingSafeEqual wants equal lengths and would else tell the length.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sendEmpty(res: ServerResponse): void {
  res.writeHead(204).end();
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { parseJson } from '../../parse-json.js';
import { type AccountKeys, keyRequestSchema } from './account-keys.js';
import { type AccountPolicies, policySchema } from './account-policies.js';
import { findLogins } from './accounts.js';
import type { Counters } from './counters.js';
import { type FaultPlan, faultSchema } from './faults.js';
import type { GrantStore } from './grant-store.js';
import { readBearer, readBody, sendJson } from './http-messages.js';
import { sandboxPaths } from './paths.js';

export interface ControlContext {
  readonly controlKey: string;
  readonly store: GrantStore;
  readonly policies: AccountPolicies;
  readonly keys: AccountKeys;
  readonly faults: FaultPlan;
  readonly counters: Counters;
}

const accountRoute = new RegExp(`^${sandboxPaths.control}/accounts/([A-Za-z0-9_-]{1,64})/(revoke|expire|policy|keys)$`);

/**
 * The control API, for tests, the demo and a developer's hands. `:account` is a login, or an `account_id` for all of
 * its users.
 *
 * - `POST /control/accounts/:account/revoke` ends every grant and key: access and refresh tokens are dead at once.
 * - `POST /control/accounts/:account/expire` ends the access tokens only, as if their time had come.
 * - `PUT /control/accounts/:account/policy` changes how its tokens are made, see {@link policySchema}; `DELETE` undoes it.
 * - `POST /control/accounts/:account/keys` makes an API key, a password or a client of the account, for one login.
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
  const [, account, action] = accountRoute.exec(pathname) ?? [];
  if (account !== undefined) {
    const logins = findLogins(account);
    if (logins.length === 0) return sendJson(res, 404, { error: 'unknown_account' });
    return await serveAccount(context, logins, `${req.method} ${action}`, req, res);
  }
  switch (`${req.method} ${pathname}`) {
    case `POST ${sandboxPaths.control}/faults`: {
      const fault = await readValid(faultSchema, req, res);
      if (fault === undefined) return;
      context.faults.add(fault);
      return sendJson(res, 201, fault);
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

async function serveAccount(
  { store, policies, keys }: ControlContext,
  logins: readonly string[],
  action: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  switch (action) {
    case 'POST revoke':
      return sendJson(res, 200, { revoked: store.revokeLogins(logins) });
    case 'POST expire':
      return sendJson(res, 200, { expired: store.expireAccessTokens(logins) });
    case 'PUT policy': {
      const policy = await readValid(policySchema, req, res);
      if (policy === undefined) return;
      policies.set(logins, policy);
      return sendEmpty(res);
    }
    case 'DELETE policy':
      policies.reset(logins);
      return sendEmpty(res);
    case 'POST keys': {
      const wanted = await readValid(keyRequestSchema, req, res);
      if (wanted === undefined) return;
      const [login, ...others] = logins;
      if (login === undefined || others.length > 0) return sendJson(res, 400, { error: 'one_login_wanted' });
      return sendJson(res, 201, await keys.create(login, wanted.kind));
    }
    default:
      return sendJson(res, 404, { error: 'not_found' });
  }
}

/** The body in its form; undefined when it was refused, which is then answered. */
async function readValid<Schema extends z.ZodType>(
  schema: Schema,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<z.output<Schema> | undefined> {
  const read = schema.safeParse(parseJson(await readBody(req)));
  if (read.success) return read.data;
  const issues = read.error.issues.map(issue => ({ path: issue.path.join('.'), message: issue.message }));
  sendJson(res, 400, { error: 'invalid_request', issues });
  return undefined;
}

function isSame(given: string, expected: string): boolean {
  // Digests, because timingSafeEqual wants equal lengths and would else tell the length.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function sendEmpty(res: ServerResponse): void {
  res.writeHead(204).end();
}

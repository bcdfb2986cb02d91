import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Provider } from 'oidc-provider';
import { sessionCookieName } from './build-provider.js';
import { applyFault, type FaultEndpoint } from './faults.js';
import { sendJson } from './http-messages.js';
import { sandboxPaths, sandboxScope } from './paths.js';
import { serveConsent } from './serve-consent.js';
import { type ControlContext, serveControl } from './serve-control.js';
import { serveIdentity } from './serve-identity.js';

/** The front door: counts, spoils what a fault says, and hands the rest to the part that answers it. */
export function createRequestHandler(
  context: ControlContext & { readonly provider: Provider; readonly closing: AbortSignal },
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { provider, counters, faults, closing } = context;
  const authorizationServer = provider.callback();

  /** @returns Whether the fault has answered. */
  const spoil = async (endpoint: FaultEndpoint, req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    const fault = faults.take(endpoint);
    if (!fault) return false;
    if (fault.kind === 'lost') {
      loseAnswer(req, res);
      return false;
    }
    if (fault.kind === 'slow') {
      await delay(fault.delayMs, undefined, { signal: closing }).catch(() => undefined);
      return res.destroyed;
    }
    const body = await applyFault(fault, req, res, closing);
    if (endpoint === 'token') counters.addGrantType(new URLSearchParams(body).get('grant_type') ?? undefined);
    return true;
  };

  return async (req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://sandbox');
    if (pathname === sandboxPaths.identity) {
      counters.addIdentityRequest();
      if (!(await spoil('identity', req, res))) await serveIdentity(provider, req, res);
      return;
    }
    if (pathname === sandboxPaths.token && req.method === 'POST') {
      counters.addTokenRequest();
      if (!(await spoil('token', req, res))) await authorizationServer(req, res);
      return;
    }
    if (pathname.startsWith(`${sandboxPaths.consent}/`)) return serveConsent(provider, req, res);
    if (pathname.startsWith(`${sandboxPaths.control}/`)) return serveControl(context, pathname, req, res);
    if (pathname === '/') return sendJson(res, 200, { service: 'sandbox provider' });
    if (pathname === sandboxPaths.authorize) req.url = ensureScope(req.url ?? '/');
    if (pathname.startsWith(sandboxPaths.authorize)) forgetBrowser(req);
    await authorizationServer(req, res);
  };
}

/** Lets the request be carried out, then breaks the connection in place of the answer. */
function loseAnswer(req: IncomingMessage, res: ServerResponse): void {
  res.end = () => {
    req.socket.resetAndDestroy();
    return res;
  };
}

/** oidc-provider ends a request that results in no known scope as denied; Attio's requests, for one, name no scope. */
function ensureScope(requestUrl: string): string {
  const url = new URL(requestUrl, 'http://sandbox');
  const scopes = (url.searchParams.get('scope') ?? '').split(' ').filter(scope => scope !== '');
  if (scopes.includes(sandboxScope)) return requestUrl;
  url.searchParams.set('scope', [sandboxScope, ...scopes].join(' '));
  return `${url.pathname}${url.search}`;
}

/** Without its session cookie each authorization is a first one: the page is shown, and any account can be chosen. */
function forgetBrowser(req: IncomingMessage): void {
  const kept = (req.headers.cookie ?? '').split(/; */).filter(pair => !pair.startsWith(sessionCookieName));
  if (kept.length > 0) req.headers.cookie = kept.join('; ');
  else delete req.headers.cookie;
}

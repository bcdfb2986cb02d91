import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { sessionCookieName } from './build-provider.js';
import { applyFault } from './apply-fault.js';
import type { FaultEndpoint } from './faults.js';
import { readBody, replayRequest, sendJson } from './http-messages.js';
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

  /** @returns Whether a fault has answered. */
  const spoil = async (endpoints: readonly FaultEndpoint[], req: IncomingMessage, res: ServerResponse) => {
    const fault = faults.take(...endpoints);
    return fault !== undefined && (await applyFault(fault, req, res, closing));
  };

  /**
   * One at a time: oidc-provider looks whether a refresh token was used, and notes its use, in two steps. Two requests
   * with the same one must not pass each other in between.
   */
  let queue: Promise<unknown> = Promise.resolve();
  const issue = (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const issued = queue.then(() => authorizationServer(req, res));
    queue = issued.catch(() => undefined);
    return issued;
  };

  const serveToken = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readBody(req);
    const grantType = new URLSearchParams(body).get('grant_type');
    counters.addTokenRequest(grantType);
    const endpoints = grantType === 'refresh_token' ? (['token', 'refresh'] as const) : (['token'] as const);
    if (!(await spoil(endpoints, req, res))) await issue(replayRequest(req, body), res);
  };

  const serveRevocation = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await readBody(req);
    counters.addRevocationRequest();
    if (!(await spoil(['revoke'], req, res))) await authorizationServer(replayRequest(req, body), res);
  };

  return async (req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://sandbox');
    if (pathname === sandboxPaths.identity || pathname === sandboxPaths.attioSelf) {
      counters.addIdentityRequest();
      await readBody(req);
      if (!(await spoil(['identity'], req, res))) await serveIdentity(context, pathname, req, res);
      return;
    }
    if (pathname === sandboxPaths.token && req.method === 'POST') return serveToken(req, res);
    if (pathname === sandboxPaths.revoke && req.method === 'POST') return serveRevocation(req, res);
    if (pathname.startsWith(`${sandboxPaths.consent}/`)) return serveConsent(provider, req, res);
    if (pathname.startsWith(`${sandboxPaths.control}/`)) return serveControl(context, pathname, req, res);
    if (pathname === '/') return sendJson(res, 200, { service: 'sandbox provider' });
    if (pathname === sandboxPaths.authorize) req.url = ensureScope(req.url ?? '/');
    if (pathname.startsWith(sandboxPaths.authorize)) forgetBrowser(req);
    await authorizationServer(req, res);
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

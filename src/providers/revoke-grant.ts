import { allowInsecureRequests, customFetch, revocationRequest, type CustomFetchOptions } from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import { parseJson } from '../parse-json.js';
import { classifyAnswer, isOutage } from './classification/classify-answer.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import { describeServer } from './describe-server.js';
import { parseRetryAfter } from './parse-retry-after.js';
import { resolveEndpoint } from './resolve-endpoint.js';
import { sendRequest, type RequestResult } from './send-request.js';

export type RevocationAnswer =
  /** Dead at the provider, by this request or before it. */
  | { readonly kind: 'revoked' }
  /** There is no address to ask, or nothing to revoke: keys are their user's to delete. */
  | { readonly kind: 'not_offered' }
  /** The provider will not, whoever asks again. */
  | { readonly kind: 'refused'; readonly httpStatus: number }
  /** This product's client was not recognised: the operator's to mend. */
  | { readonly kind: 'client_rejected'; readonly httpStatus: number }
  /** Nothing was learnt; ask again later. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly retryAfterMs: number | null };

/** How else a token that is none any more is spelt here (RFC 7009 section 2.2 has no error for it: it answers 200). */
const alreadyGone = new Set(['invalid_token', 'token_not_found']);

/**
 * Revokes a grant at its provider: one request (RFC 7009, or the provider's own form), for the refresh token where one
 * is held, because most providers end the whole grant with it. Safe to repeat.
 *
 * Throws RelinkError `host_not_allowed`, before any request.
 */
export async function revokeGrant(
  provider: Provider,
  tokens: TokenSet,
  options: { readonly timeoutMs?: number; readonly now?: () => Date } = {},
): Promise<RevocationAnswer> {
  const { timeoutMs = 10_000, now = () => new Date() } = options;
  const { revocationUrl, configured } = provider;
  // Whoever points the token endpoint elsewhere (a proxy, a stand-in) does not want requests at the real provider.
  const isElsewhere = configured.tokenUrl && !configured.revocationUrl;
  if (revocationUrl === undefined || isElsewhere || tokens.key !== undefined) return { kind: 'not_offered' };
  const url = resolveEndpoint(provider, 'revocationUrl', tokens.extras);
  const hint = tokens.refreshToken === null ? 'access_token' : 'refresh_token';
  const token = (tokens.refreshToken ?? tokens.accessToken).reveal();
  const send = (address: string, headers: Readonly<Record<string, string>>, body?: string) =>
    sendRequest({
      method: 'POST',
      url: address,
      headers,
      body,
      timeoutMs,
      allowLoopback: provider.allowInsecure,
      keepAlive: false,
    });

  if (provider.revocationForm === 'query') {
    const address = new URL(url);
    address.searchParams.set('token', token);
    return readAnswer(provider, await send(address.href, { accept: 'application/json' }), now());
  }
  const { server, client, clientAuthentication } = describeServer(provider, provider.tokenUrl);
  const results: RequestResult[] = [];
  await revocationRequest({ ...server, revocation_endpoint: url }, client, clientAuthentication, token, {
    additionalParameters: { token_type_hint: hint },
    [allowInsecureRequests]: provider.allowInsecure,
    [customFetch]: async (address: string, { headers, body }: CustomFetchOptions<'POST', URLSearchParams>) => {
      results.push(await send(address, headers, body.toString()));
      return new Response();
    },
  });
  const [result] = results;
  if (result === undefined) throw new RelinkError('internal', 'no revocation request was made');
  return readAnswer(provider, result, now());
}

/** The token endpoint's table, for the codes are the same; a 2xx without one is all that RFC 7009 asks for. */
function readAnswer(provider: Provider, result: RequestResult, now: Date): RevocationAnswer {
  if (result.kind === 'failed') return { kind: 'unavailable', reason: result.reason, retryAfterMs: null };
  const { status, headers, text } = result;
  const { meaning, error } = classifyAnswer(provider, {
    ...{ failure: null, status, challenge: headers['www-authenticate'] ?? null, body: parseJson(text), token: false },
  });
  const isDone = status >= 200 && status < 300 && error === null;
  if (isDone || (error !== null && !isOutage(status) && alreadyGone.has(error))) return { kind: 'revoked' };
  switch (meaning) {
    case 'definitive':
      return { kind: 'revoked' };
    case 'operator_fault':
      return { kind: 'client_rejected', httpStatus: status };
    case 'ok':
    case 'transient':
      return { kind: 'refused', httpStatus: status };
    case 'rate_limited':
    case 'unknown':
      return {
        kind: 'unavailable',
        reason: `HTTP ${status}`,
        retryAfterMs: parseRetryAfter(headers['retry-after'], now),
      };
  }
}

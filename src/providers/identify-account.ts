import { parseJson } from '../parse-json.js';
import { authorizeRequest } from './authorize-request.js';
import type { Provider } from './configure-provider.js';
import type { Identity, TokenSet } from './definition.js';
import { parseRetryAfter } from './parse-retry-after.js';
import { resolveEndpoint } from './resolve-endpoint.js';
import { sendRequest, type RequestResult } from './send-request.js';

export type UnavailableReason = 'timeout' | 'network' | 'server_error' | 'unusable_answer' | 'refused_otherwise';

/** What the provider says about a token. Only `ok` and `refused` say something about the token itself. */
export type IdentityAnswer =
  | { readonly kind: 'ok'; readonly identity: Identity }
  /** The token is not accepted: a 401, or what the provider uses for it. */
  | { readonly kind: 'refused'; readonly httpStatus: number }
  | { readonly kind: 'rate_limited'; readonly httpStatus: number; readonly retryAfterMs: number | null }
  /** Nothing was learnt; ask again later. */
  | { readonly kind: 'unavailable'; readonly httpStatus: number | null; readonly reason: UnavailableReason }
  /** The token is accepted, and the answer names no account. */
  | { readonly kind: 'unusable' };

export interface IdentifyOptions {
  /** From connecting to the last byte of the answer. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Ends the call early; its reason is then thrown. */
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/**
 * Asks the provider whose token this is: one GET, not repeated.
 *
 * Throws RelinkError `host_not_allowed`, before any request, when the tokens came with a host that is not (or no
 * longer) on the provider's list.
 */
export async function identifyAccount(
  provider: Provider,
  tokens: TokenSet,
  options: IdentifyOptions = {},
): Promise<IdentityAnswer> {
  const { timeoutMs = 10_000, signal, now = () => new Date() } = options;
  const authorization = authorizeRequest(provider, tokens);
  const result = await sendRequest({
    method: 'GET',
    url: resolveEndpoint(provider, 'identityUrl', tokens.extras),
    headers: { accept: 'application/json', [authorization.name]: authorization.value },
    timeoutMs,
    signal,
    allowLoopback: provider.allowInsecure,
    keepAlive: true,
  });
  return readAnswer(provider, result, now());
}

function readAnswer(provider: Provider, result: RequestResult, now: Date): IdentityAnswer {
  if (result.kind === 'failed') return unavailable(null, describeFailure(result.reason));
  const { status, headers, text } = result;
  const body = parseJson(text);
  if (provider.isRefusal?.(status, body) ?? status === 401) return { kind: 'refused', httpStatus: status };
  if (status === 429)
    return { kind: 'rate_limited', httpStatus: status, retryAfterMs: parseRetryAfter(headers['retry-after'], now) };
  if (status >= 500) return unavailable(status, 'server_error');
  if (status === 408) return unavailable(status, 'timeout');
  if (status >= 400) return unavailable(status, 'refused_otherwise');
  // A 200 that is not JSON is somebody else's page: a proxy, a maintenance notice. So is a redirect.
  if (status !== 200 || body === undefined) return unavailable(status, 'unusable_answer');
  const identity = provider.readIdentity(body);
  return identity === null ? { kind: 'unusable' } : { kind: 'ok', identity };
}

function describeFailure(reason: 'timeout' | 'network' | 'too_large' | 'address_refused'): UnavailableReason {
  switch (reason) {
    case 'timeout':
      return 'timeout';
    case 'too_large':
      return 'unusable_answer';
    case 'network':
    case 'address_refused':
      return 'network';
  }
}

function unavailable(httpStatus: number | null, reason: UnavailableReason): IdentityAnswer {
  return { kind: 'unavailable', httpStatus, reason };
}

import type { CustomFetchOptions } from 'oauth4webapi';
import { parseJson } from '../parse-json.js';
import type { Provider } from './configure-provider.js';
import { parseRetryAfter } from './parse-retry-after.js';
import { sendRequest, type RequestResult } from './send-request.js';

/** The token endpoint's answer, read to its end. */
export interface TokenAnswer {
  readonly status: number;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** Milliseconds that `Retry-After` asks for; null when it does not. */
  readonly retryAfterMs: number | null;
  /** Parsed JSON, whatever the content type said; undefined when it is none. */
  readonly body: unknown;
}

export type TokenResult =
  | { readonly kind: 'answered'; readonly answer: TokenAnswer }
  | Extract<RequestResult, { readonly kind: 'failed' }>;

/** Sends what the OAuth library prepared: exactly one request, on a connection of its own. */
export async function sendTokenRequest(
  provider: Provider,
  url: string,
  { method, headers, body }: CustomFetchOptions<'POST', URLSearchParams>,
  timeoutMs: number,
): Promise<TokenResult> {
  const result = await sendRequest({
    method,
    url,
    headers,
    body: body.toString(),
    timeoutMs,
    allowLoopback: provider.allowInsecure,
    keepAlive: false,
  });
  if (result.kind === 'failed') return result;
  return {
    kind: 'answered',
    answer: {
      status: result.status,
      challenge: result.headers['www-authenticate'] ?? null,
      retryAfterMs: parseRetryAfter(result.headers['retry-after'], new Date()),
      body: parseJson(result.text),
    },
  };
}

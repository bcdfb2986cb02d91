import { validateHeaderName, validateHeaderValue } from 'node:http';
import { RelinkError } from '../errors.js';
import type { ProviderRequest, ProviderResponse } from '../integrations/handler-context.js';
import { parseJson } from '../parse-json.js';
import { authorizeRequest } from '../providers/authorize-request.js';
import type { Provider } from '../providers/configure-provider.js';
import type { TokenSet } from '../providers/definition.js';
import { parseRetryAfter } from '../providers/parse-retry-after.js';
import { resolveApiUrl } from '../providers/resolve-api-url.js';
import { sendRequest, type RequestResult, type RequestToSend } from '../providers/send-request.js';

const maxAnswerBytes = 10 * 1024 * 1024;
const defaultTimeoutMs = 30_000;
/** A body longer than this is an answer, whatever its fields are called. */
const longestRefusal = 4096;
/** Set by us or by the connection alone. */
const ownHeaders = new Set([
  'authorization',
  'host',
  'content-length',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'proxy-authorization',
]);
/** RFC 9110 section 9.2.2: to do them twice is to do them once. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);

/**
 * Sends a handler's request with one token. Nothing is repeated but an idempotent request whose connection broke, once.
 *
 * @returns The answer, and whether it refuses the token.
 * @throws RelinkError `rate_limited` with the time that the provider names, `provider_unavailable`, `host_not_allowed`,
 * `invalid_request`.
 */
export async function sendWithToken(
  provider: Provider,
  tokens: TokenSet,
  wanted: ProviderRequest,
  signal: AbortSignal,
): Promise<{ readonly response: ProviderResponse; readonly refused: boolean }> {
  const isJson = wanted.json !== undefined;
  const authorization = authorizeRequest(provider, tokens);
  const request: RequestToSend = {
    method: wanted.method ?? 'GET',
    url: resolveApiUrl(provider, tokens.extras, wanted.url),
    headers: {
      accept: 'application/json',
      ...(isJson && { 'content-type': 'application/json' }),
      ...readHeaders(wanted),
      [authorization.name]: authorization.value,
    },
    body: isJson ? JSON.stringify(wanted.json) : wanted.body,
    timeoutMs: wanted.timeoutMs ?? defaultTimeoutMs,
    maxBodyBytes: maxAnswerBytes,
    signal,
    allowLoopback: provider.allowInsecure,
    keepAlive: true,
  };
  let result = await sendRequest(request);
  if (isBroken(result) && idempotent.has(request.method)) result = await sendRequest(request);
  if (result.kind === 'failed') throw new RelinkError('provider_unavailable', `${provider.id}: ${result.reason}`);

  const { status, text } = result;
  const refused = saysRefused(provider, status, text);
  if (status === 429 && !refused) {
    const retryAfterMs = parseRetryAfter(result.headers['retry-after'], new Date()) ?? undefined;
    throw new RelinkError('rate_limited', provider.id, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(result.headers)) {
    if (value !== undefined && name !== 'set-cookie') headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { response: { status, headers, text }, refused };
}

function isBroken(result: RequestResult): boolean {
  return result.kind === 'failed' && result.reason === 'network';
}

/** The provider's own rule where it has one: it may use 401 for other things, or say it inside a small 200. */
function saysRefused(provider: Provider, status: number, text: string): boolean {
  if (provider.isRefusal === undefined || (status !== 401 && text.length > longestRefusal)) return status === 401;
  return provider.isRefusal(status, parseJson(text));
}

/** Throws RelinkError `invalid_request` for what cannot be a header. */
function readHeaders({ headers = {}, json, body }: ProviderRequest): Record<string, string> {
  if (json !== undefined && body !== undefined)
    throw new RelinkError('invalid_request', 'json and body exclude each other');
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new RelinkError('invalid_request', 'headers');
    }
    if (!ownHeaders.has(name.toLowerCase())) kept[name.toLowerCase()] = value;
  }
  return kept;
}

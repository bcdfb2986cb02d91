import { processAuthorizationCodeResponse, type TokenEndpointResponse } from 'oauth4webapi';
import { z } from 'zod';
import { RelinkError } from '../errors.js';
import { Secret } from '../vault/secret.js';
import { computeExpiry } from './compute-expiry.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import type { ServerDescription } from './describe-server.js';
import { assertAllowedHosts } from './resolve-endpoint.js';
import { showErrorCode } from './show-error-code.js';

/** The token endpoint's answer, read to its end. */
export interface TokenAnswer {
  readonly status: number;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** Parsed JSON, whatever the content type said; undefined when it is none. */
  readonly body: unknown;
}

/** invalid_client and its dialects: what is wrong is this product's registration, not the user's grant. */
const clientErrors = new Set([
  'invalid_client',
  'unauthorized_client',
  // Zoho
  'invalid_client_secret',
  // GitHub
  'incorrect_client_credentials',
]);

/** Visible ASCII (RFC 6749 appendix A.12 and A.17): anything else could not be sent in a header. */
const tokenSchema = z.string().regex(/^[\x20-\x7e]{1,16384}$/);
const objectSchema = z.record(z.string(), z.unknown());
const errorSchema = z.object({ error: z.string().min(1) });
const extraSchema = z.string().min(1).max(2048).nullish();

/**
 * Turns the answer to a code exchange into a token set, or into the RelinkError that says what went wrong:
 * `client_rejected`, `exchange_refused` (an OAuth error, also inside a 200 or a 403), `exchange_failed` (everything
 * else) or `host_not_allowed` (a host in it is not on the provider's list).
 *
 * @param callbackExtras Facts of the callback that are kept with the tokens.
 * @param issuedAt Taken before the request.
 */
export async function readTokenAnswer(
  provider: Provider,
  description: ServerDescription,
  answer: TokenAnswer,
  callbackExtras: Readonly<Record<string, string>>,
  issuedAt: Date,
): Promise<TokenSet> {
  rejectErrors(answer);
  const body = objectSchema.safeParse(answer.body);
  if (!body.success) throw new RelinkError('exchange_failed', 'the answer is not a JSON object');
  const tokens = await processTokens(description, body.data);
  const extras = { ...callbackExtras, ...readExtras(provider, body.data) };
  assertAllowedHosts(provider, extras);
  return {
    accessToken: readToken(tokens.access_token),
    refreshToken: tokens.refresh_token === undefined ? null : readToken(tokens.refresh_token),
    expiresAt: computeExpiry(provider, body.data, issuedAt),
    extras,
  };
}

function rejectErrors({ status, challenge, body }: TokenAnswer): void {
  const succeeded = status >= 200 && status < 300;
  const refused = status >= 400 && status < 500 && status !== 429 && status !== 408;
  if (!succeeded && !refused) throw new RelinkError('exchange_failed', `HTTP ${status}`);
  const error = errorSchema.safeParse(body).data?.error;
  if (error !== undefined && clientErrors.has(error)) throw new RelinkError('client_rejected', error);
  if (error !== undefined) throw new RelinkError('exchange_refused', showErrorCode(error) ?? `HTTP ${status}`);
  // RFC 6749 section 5.2: a challenge in the scheme the client used means that the client was not recognised.
  if (status === 401 && /^basic\b/i.test(challenge ?? '')) throw new RelinkError('client_rejected', 'HTTP 401');
  if (!succeeded) throw new RelinkError('exchange_failed', `HTTP ${status}`);
}

/**
 * The library's check of the answer, on the fields that are used. The others (`expires_in`, `scope`, `id_token`) are
 * left out: a spent code is not worth losing over a field that is not needed, or that has its own rule.
 */
async function processTokens(
  { server, client }: ServerDescription,
  body: Readonly<Record<string, unknown>>,
): Promise<TokenEndpointResponse> {
  const { access_token, token_type, refresh_token } = body;
  const needed =
    refresh_token === null || refresh_token === ''
      ? { access_token, token_type }
      : { access_token, token_type, refresh_token };
  const tokens = await processAuthorizationCodeResponse(server, client, Response.json(needed)).catch(() => null);
  if (tokens?.token_type !== 'bearer') throw new RelinkError('exchange_failed', 'the answer holds no usable token');
  return tokens;
}

function readToken(value: string): Secret {
  if (!tokenSchema.safeParse(value).success) throw new RelinkError('exchange_failed', 'a token is malformed');
  return new Secret(value);
}

function readExtras(provider: Provider, body: Readonly<Record<string, unknown>>): Record<string, string> {
  const extras: Record<string, string> = {};
  for (const field of provider.tokenExtras) {
    const value = extraSchema.safeParse(body[field]);
    if (!value.success) throw new RelinkError('exchange_failed', `${field} is malformed`);
    if (typeof value.data === 'string') extras[field] = value.data;
  }
  return extras;
}

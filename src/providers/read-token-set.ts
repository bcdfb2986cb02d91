import {
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { z } from 'zod';
import { RelinkError } from '../errors.js';
import { Secret } from '../vault/secret.js';
import { computeExpiry } from './compute-expiry.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import type { ServerDescription } from './describe-server.js';
import { assertAllowedHosts, hasAllowedHosts } from './resolve-endpoint.js';

/** Visible ASCII (RFC 6749 appendix A.12 and A.17): anything else could not be sent in a header. */
const tokenSchema = z.string().regex(/^[\x20-\x7e]{1,16384}$/);
const objectSchema = z.record(z.string(), z.unknown());
const extraSchema = z.string().min(1).max(2048).nullish();

/** Whether a body claims to bring a token. */
export function holdsToken(body: unknown): boolean {
  return z.object({ access_token: z.string().min(1) }).safeParse(body).success;
}

/**
 * Reads the body of a successful token answer.
 *
 * @param extras What is known already and kept; fields of the answer replace it.
 * @param issuedAt Taken before the request.
 * @param held The tokens that were refreshed: an answer without a refresh token keeps theirs, and one that names a host
 *   off the list keeps their host. None in an exchange.
 * Throws RelinkError `exchange_failed` when there is no usable token, `host_not_allowed`.
 */
export async function readTokenSet(
  provider: Provider,
  description: ServerDescription,
  body: unknown,
  extras: Readonly<Record<string, string>>,
  issuedAt: Date,
  held?: TokenSet,
): Promise<TokenSet> {
  const parsed = objectSchema.safeParse(body);
  if (!parsed.success) throw new RelinkError('exchange_failed', 'the answer is not a JSON object');
  // A provider said at the exchange what kind its tokens are; some leave that out later.
  const answer: Record<string, unknown> = held === undefined ? parsed.data : { token_type: 'bearer', ...parsed.data };
  const tokens = await processTokens(description, answer, held !== undefined);
  const all = {
    ...extras,
    ...(held === undefined ? readExtras(provider, answer) : readUsableExtras(provider, answer)),
  };
  assertAllowedHosts(provider, all);
  return {
    ...held,
    accessToken: readToken(tokens.access_token),
    refreshToken: tokens.refresh_token === undefined ? (held?.refreshToken ?? null) : readToken(tokens.refresh_token),
    expiresAt: computeExpiry(provider, answer, issuedAt),
    extras: all,
  };
}

/**
 * The library's check of the answer, on the fields that are used. The others (`expires_in`, `scope`, `id_token`) are
 * left out: a spent code is not worth losing over a field that is not needed, or that has its own rule.
 */
async function processTokens(
  { server, client }: ServerDescription,
  body: Readonly<Record<string, unknown>>,
  isRefresh: boolean,
): Promise<TokenEndpointResponse> {
  const { access_token, token_type, refresh_token } = body;
  const needed =
    refresh_token === null || refresh_token === ''
      ? { access_token, token_type }
      : { access_token, token_type, refresh_token };
  const process = isRefresh ? processRefreshTokenResponse : processAuthorizationCodeResponse;
  const tokens = await process(server, client, Response.json(needed)).catch(() => null);
  if (tokens?.token_type !== 'bearer') throw new RelinkError('exchange_failed', 'the answer holds no usable token');
  return tokens;
}

function readToken(value: string): Secret {
  if (!tokenSchema.safeParse(value).success) throw new RelinkError('exchange_failed', 'a token is malformed');
  return new Secret(value);
}

/**
 * Of a refresh: a value that cannot be used leaves the one held, and the held one was checked. To refuse the whole answer
 * for it would lose a rotated refresh token, and no token goes to the refused host either way.
 */
function readUsableExtras(provider: Provider, body: Readonly<Record<string, unknown>>): Record<string, string> {
  const extras: Record<string, string> = {};
  for (const field of provider.tokenExtras) {
    const value = extraSchema.safeParse(body[field]);
    if (typeof value.data !== 'string') continue;
    const extra = { [field]: value.data };
    if (hasAllowedHosts(provider, extra)) Object.assign(extras, extra);
  }
  return extras;
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

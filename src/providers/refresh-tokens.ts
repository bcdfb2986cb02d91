import { allowInsecureRequests, customFetch, refreshTokenGrantRequest, type CustomFetchOptions } from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import { describeServer } from './describe-server.js';
import { mintTokens } from './mint-tokens.js';
import { readTokenResult, type RefreshAnswer } from './read-token-result.js';
import { resolveEndpoint } from './resolve-endpoint.js';
import { sendTokenRequest, type TokenResult } from './send-token-request.js';

export type { RefreshAnswer } from './read-token-result.js';

export interface RefreshOptions {
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Taken before the request: lifetimes count from it. */
  readonly issuedAt: Date;
}

/**
 * Refreshes tokens (RFC 6749 section 6): exactly one request, never repeated here, because where refresh tokens rotate a
 * second one can end the grant. What the answer means, the table in classification/ says. An answer without a refresh
 * token keeps the one held. Client credentials mint anew instead.
 *
 * Throws RelinkError only before any request: `host_not_allowed`, `kind_not_taken`, and `internal` without a refresh token.
 */
export async function refreshTokens(
  provider: Provider,
  held: TokenSet,
  { timeoutMs, issuedAt }: RefreshOptions,
): Promise<RefreshAnswer> {
  if (held.key?.kind === 'client_credentials') return await mintTokens(provider, held.key, { timeoutMs, issuedAt });
  if (held.refreshToken === null) throw new RelinkError('internal', 'a refresh without a refresh token');
  const description = describeServer(provider, resolveEndpoint(provider, 'tokenUrl', held.extras));
  const { server, client, clientAuthentication } = description;
  const results: TokenResult[] = [];
  await refreshTokenGrantRequest(server, client, clientAuthentication, held.refreshToken.reveal(), {
    [allowInsecureRequests]: provider.allowInsecure,
    [customFetch]: async (url: string, request: CustomFetchOptions<'POST', URLSearchParams>) => {
      results.push(await sendTokenRequest(provider, url, request, timeoutMs));
      // The library's own reading comes later, on the fields that matter: see readTokenSet.
      return new Response();
    },
  });
  const [result] = results;
  if (result === undefined) throw new RelinkError('internal', 'no token request was made');
  return await readTokenResult(provider, description, result, issuedAt, held);
}

import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  customFetch,
  type CustomFetchOptions,
} from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import type { ClientKey } from './definition.js';
import { describeServer } from './describe-server.js';
import { readTokenResult, type RefreshAnswer } from './read-token-result.js';
import { sendTokenRequest, type TokenResult } from './send-token-request.js';

/**
 * Mints a token with a client of the user's own (RFC 6749 section 4.4): one request. Nothing is spent by it, so an
 * answer that was lost is no worse than none (`unknown` becomes `transient`); and a client that is refused is the
 * user's, not the operator's (`operator_fault` becomes `definitive`).
 *
 * Throws RelinkError only before any request: `kind_not_taken`.
 *
 * @param options.issuedAt Taken before the request: lifetimes count from it.
 */
export async function mintTokens(
  provider: Provider,
  client: ClientKey,
  { timeoutMs, issuedAt }: { readonly timeoutMs: number; readonly issuedAt: Date },
): Promise<RefreshAnswer> {
  const form = provider.keys?.client_credentials;
  if (form === undefined) throw new RelinkError('kind_not_taken', `${provider.id}: client_credentials`);
  const { clientId, clientSecret } = client;
  const description = describeServer({ ...provider, clientId, clientSecret }, provider.tokenUrl);

  const results: TokenResult[] = [];
  await clientCredentialsGrantRequest(
    description.server,
    description.client,
    description.clientAuthentication,
    form.scope === null ? {} : { scope: form.scope },
    {
      [allowInsecureRequests]: provider.allowInsecure,
      [customFetch]: async (url: string, request: CustomFetchOptions<'POST', URLSearchParams>) => {
        results.push(await sendTokenRequest(provider, url, request, timeoutMs));
        return new Response();
      },
    },
  );
  const [result] = results;
  if (result === undefined) throw new RelinkError('internal', 'no token request was made');
  const answer = await readTokenResult(provider, description, result, issuedAt);
  switch (answer.meaning) {
    case 'ok':
      // RFC 6749 section 4.4.3: a refresh token should not come along, and would be a second way to the same.
      return { meaning: 'ok', tokens: { ...answer.tokens, refreshToken: null, key: client } };
    case 'unknown':
      return { ...answer, meaning: 'transient' };
    case 'operator_fault':
      return { ...answer, meaning: 'definitive' };
    case 'definitive':
    case 'transient':
    case 'rate_limited':
      return answer;
  }
}

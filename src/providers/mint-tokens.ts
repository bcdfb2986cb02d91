import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  customFetch,
  type CustomFetchOptions,
} from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import type { ClientKey, TokenSet } from './definition.js';
import { describeServer } from './describe-server.js';
import { sendTokenRequest } from './exchange-code.js';
import { readTokenAnswer, type TokenAnswer } from './read-token-answer.js';

/**
 * Mints a token with a client of the user's own (RFC 6749 section 4.4): one request. Harmless to repeat, for nothing is
 * spent by it.
 *
 * Throws RelinkError `kind_not_taken` before any request; after it what `sendTokenRequest` and `readTokenAnswer` list.
 */
export async function mintTokens(
  provider: Provider,
  client: ClientKey,
  options: { readonly timeoutMs?: number; readonly now?: () => Date } = {},
): Promise<TokenSet> {
  const { timeoutMs = 10_000, now = () => new Date() } = options;
  const form = provider.keys?.client_credentials;
  if (form === undefined) throw new RelinkError('kind_not_taken', `${provider.id}: client_credentials`);
  const { clientId, clientSecret } = client;
  const description = describeServer({ ...provider, clientId, clientSecret }, provider.tokenUrl);

  const issuedAt = now();
  const answers: TokenAnswer[] = [];
  await clientCredentialsGrantRequest(
    description.server,
    description.client,
    description.clientAuthentication,
    form.scope === null ? {} : { scope: form.scope },
    {
      [allowInsecureRequests]: provider.allowInsecure,
      [customFetch]: async (url: string, request: CustomFetchOptions<'POST', URLSearchParams>) => {
        answers.push(await sendTokenRequest(provider, url, request, timeoutMs));
        return new Response();
      },
    },
  );
  const [answer] = answers;
  if (answer === undefined) throw new RelinkError('internal', 'no token request was made');
  const minted = await readTokenAnswer(provider, description, answer, {}, issuedAt);
  // RFC 6749 section 4.4.3: a refresh token should not come along, and would be a second way to the same.
  return { ...minted, refreshToken: null, key: client };
}

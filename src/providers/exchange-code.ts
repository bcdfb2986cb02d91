import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  customFetch,
  nopkce,
  type CustomFetchOptions,
} from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Secret } from '../vault/secret.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import { describeServer } from './describe-server.js';
import { readTokenAnswer } from './read-token-answer.js';
import { resolveEndpoint } from './resolve-endpoint.js';
import type { RequestFailure } from './send-request.js';
import { sendTokenRequest, type TokenAnswer } from './send-token-request.js';
import { validateCallback } from './validate-callback.js';

export interface CodeExchange {
  /** The callback's query, each parameter once. */
  readonly callback: Readonly<Record<string, string>>;
  readonly state: string;
  /** The very one that the authorization was asked with. */
  readonly redirectUri: string;
  /** Null only where the provider does not take PKCE. */
  readonly codeVerifier: Secret | null;
  /** From connecting to the last byte of the answer. Default: 10 s. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
}

/**
 * Exchanges the code of a callback for tokens (RFC 6749 section 4.1.3): exactly one request, never repeated, because a
 * code is good for one use and a second try can revoke what the first one brought.
 *
 * Throws RelinkError: before any request `attempt_not_found`, `access_denied`, `authorization_failed` or
 * `host_not_allowed`; after it `exchange_timed_out`, `exchange_failed`, and what `readTokenAnswer` lists. None of them
 * carries the library's error or anything the provider wrote beyond its error code.
 */
export async function exchangeCode(provider: Provider, exchange: CodeExchange): Promise<TokenSet> {
  const { callback, timeoutMs = 10_000, now = () => new Date() } = exchange;
  const parameters = validateCallback(provider, callback, exchange.state);
  const description = describeServer(provider, resolveEndpoint(provider, 'tokenUrl', callback));
  if (provider.pkce && exchange.codeVerifier === null)
    throw new RelinkError('internal', 'PKCE without a code verifier');

  const issuedAt = now();
  const answers: TokenAnswer[] = [];
  await authorizationCodeGrantRequest(
    description.server,
    description.client,
    description.clientAuthentication,
    parameters,
    exchange.redirectUri,
    provider.pkce && exchange.codeVerifier !== null ? exchange.codeVerifier.reveal() : nopkce,
    {
      [allowInsecureRequests]: provider.allowInsecure,
      [customFetch]: async (url: string, request: CustomFetchOptions<'POST', URLSearchParams>) => {
        const result = await sendTokenRequest(provider, url, request, timeoutMs);
        if (result.kind === 'failed') throwFailure(result.reason);
        answers.push(result.answer);
        // The library's own reading comes later, on the fields that matter: see readTokenAnswer.
        return new Response();
      },
    },
  );
  const [answer] = answers;
  if (answer === undefined) throw new RelinkError('internal', 'no token request was made');
  const kept = provider.callbackParameters.flatMap(name => {
    const value = callback[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return readTokenAnswer(provider, description, answer, Object.fromEntries(kept), issuedAt);
}

function throwFailure(reason: RequestFailure): never {
  switch (reason) {
    case 'timeout':
      throw new RelinkError('exchange_timed_out');
    case 'address_refused':
      throw new RelinkError('host_not_allowed', 'the token endpoint has no public address');
    case 'too_large':
      throw new RelinkError('exchange_failed', 'the answer is too large');
    case 'network':
      throw new RelinkError('exchange_failed', 'the connection failed');
  }
}

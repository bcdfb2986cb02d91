import { calculatePKCECodeChallenge } from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Secret } from '../vault/secret.js';
import type { Provider } from './configure-provider.js';

/**
 * The address to send the user's browser to (RFC 6749 section 4.1.1, with PKCE S256 of RFC 7636 where the provider
 * takes it).
 *
 * @param codeVerifier Ignored, and may be null, where the provider does not take PKCE.
 */
export async function createAuthorizationUrl(
  provider: Provider,
  options: { readonly redirectUri: string; readonly state: string; readonly codeVerifier: Secret | null },
): Promise<string> {
  const url = new URL(provider.authorizationUrl);
  const parameters: Record<string, string> = {
    ...provider.authorizationParameters,
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: options.redirectUri,
    state: options.state,
  };
  if (provider.scope !== null) parameters['scope'] = provider.scope.values.join(provider.scope.separator);
  if (provider.pkce) {
    if (options.codeVerifier === null) throw new RelinkError('internal', 'PKCE without a code verifier');
    parameters['code_challenge'] = await calculatePKCECodeChallenge(options.codeVerifier.reveal());
    parameters['code_challenge_method'] = 'S256';
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

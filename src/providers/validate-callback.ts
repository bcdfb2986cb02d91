import { AuthorizationResponseError, validateAuthResponse } from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import type { Provider } from './configure-provider.js';
import { describeServer } from './describe-server.js';
import { showErrorCode } from './show-error-code.js';

/**
 * Checks what the browser brought back (RFC 6749 section 4.1.2; `iss`: RFC 9207) and returns it in the form that
 * oauth4webapi demands of a callback it is to exchange.
 *
 * Throws RelinkError `attempt_not_found` for another state, `access_denied` where the user declined, and
 * `authorization_failed` for every other error, a foreign issuer or a missing code. The library's errors are not kept
 * as causes: they hold the callback with its code.
 */
export function validateCallback(
  provider: Provider,
  callback: Readonly<Record<string, string>>,
  state: string,
): URLSearchParams {
  if (callback['state'] !== state) throw new RelinkError('attempt_not_found');
  const { server, client } = describeServer(provider, provider.tokenUrl);
  let parameters: URLSearchParams;
  try {
    parameters = validateAuthResponse(server, client, new URLSearchParams(callback), state);
  } catch (error) {
    if (!(error instanceof AuthorizationResponseError))
      throw new RelinkError('authorization_failed', 'the callback is malformed or from another issuer');
    if (error.error === 'access_denied' || provider.denialErrors?.includes(error.error))
      throw new RelinkError('access_denied');
    throw new RelinkError('authorization_failed', showErrorCode(error.error));
  }
  if (!parameters.get('code')) throw new RelinkError('authorization_failed', 'the callback has no code');
  return parameters;
}

import { RelinkError } from '../errors.js';
import { classifyAnswer } from './classification/classify-answer.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import type { ServerDescription } from './describe-server.js';
import { holdsToken, readTokenSet } from './read-token-set.js';
import type { TokenAnswer } from './send-token-request.js';
import { showErrorCode } from './show-error-code.js';

/** How others than the provider in question say `invalid_client`: an exchange is not worth a guess whose code it is. */
const otherClientErrors = new Set([
  // Zoho
  'invalid_client_secret',
  // GitHub
  'incorrect_client_credentials',
]);

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
  const { status, body } = answer;
  const { meaning, error } = classifyAnswer(provider, { ...answer, failure: null, token: holdsToken(body) });
  const isOutage = status >= 500 || status === 429 || status === 408;
  if (meaning === 'operator_fault' || (error !== null && !isOutage && otherClientErrors.has(error)))
    throw new RelinkError('client_rejected', (error === null ? null : showErrorCode(error)) ?? `HTTP ${status}`);
  if (isOutage || (status >= 300 && status < 400)) throw new RelinkError('exchange_failed', `HTTP ${status}`);
  if (error !== null) throw new RelinkError('exchange_refused', showErrorCode(error) ?? `HTTP ${status}`);
  if (status < 200 || status >= 300) throw new RelinkError('exchange_failed', `HTTP ${status}`);
  return readTokenSet(provider, description, body, callbackExtras, issuedAt);
}

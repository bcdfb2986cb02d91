import { RelinkError } from '../errors.js';
import { classifyAnswer, isOutage } from './classification/classify-answer.js';
import { listOperatorFaults } from './classification/dialects.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import type { ServerDescription } from './describe-server.js';
import { holdsToken, readTokenSet } from './read-token-set.js';
import type { TokenAnswer } from './send-token-request.js';
import { showErrorCode } from './show-error-code.js';

const operatorFaults = listOperatorFaults();

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
  const isAway = isOutage(status);
  if (meaning === 'operator_fault' || (error !== null && !isAway && operatorFaults.has(error)))
    throw new RelinkError('client_rejected', (error === null ? null : showErrorCode(error)) ?? `HTTP ${status}`);
  if (isAway || (status >= 300 && status < 400)) throw new RelinkError('exchange_failed', `HTTP ${status}`);
  if (error !== null) throw new RelinkError('exchange_refused', showErrorCode(error) ?? `HTTP ${status}`);
  if (status < 200 || status >= 300) throw new RelinkError('exchange_failed', `HTTP ${status}`);
  return readTokenSet(provider, description, body, callbackExtras, issuedAt);
}

import { classifyAnswer } from './classification/classify-answer.js';
import type { AnswerMeaning } from './classification/rules.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import type { ServerDescription } from './describe-server.js';
import { holdsToken, readTokenSet } from './read-token-set.js';
import type { TokenResult } from './send-token-request.js';
import { showErrorCode } from './show-error-code.js';

export type RefreshAnswer =
  | { readonly meaning: 'ok'; readonly tokens: TokenSet }
  | {
      readonly meaning: Exclude<AnswerMeaning, 'ok'>;
      /** Null when there was no answer. */
      readonly httpStatus: number | null;
      /** For people: the provider's error code where it is safe to show, the status, or what failed. */
      readonly reason: string;
      /** The provider's own error code where it is safe to show, and null where it is not, or there is none. */
      readonly providerError: string | null;
      /** How long the provider asks to be left alone. Milliseconds. */
      readonly retryAfterMs: number | null;
    };

/**
 * What a request for new tokens has come to. What the answer means, the table in classification/ says.
 *
 * @param issuedAt Taken before the request.
 * @param held The tokens that were refreshed; undefined where tokens were minted from nothing.
 */
export async function readTokenResult(
  provider: Provider,
  description: ServerDescription,
  result: TokenResult,
  issuedAt: Date,
  held?: TokenSet,
): Promise<RefreshAnswer> {
  if (result.kind === 'failed') {
    const failure = result.sent ? 'cut' : 'not_sent';
    const { meaning } = classifyAnswer(provider, {
      ...{ failure, status: null, challenge: null, body: undefined, token: false },
    });
    return unless(meaning, { httpStatus: null, reason: result.reason, retryAfterMs: null, providerError: null });
  }

  const { answer } = result;
  const tokens = holdsToken(answer.body)
    ? await readTokenSet(provider, description, answer.body, held?.extras ?? {}, issuedAt, held).catch(() => null)
    : null;
  const { meaning, error } = classifyAnswer(provider, { ...answer, failure: null, token: tokens !== null });
  if (meaning === 'ok' && tokens !== null) return { meaning, tokens };
  const { status, retryAfterMs } = answer;
  const providerError = (error === null ? undefined : showErrorCode(error)) ?? null;
  return unless(meaning, {
    ...{ httpStatus: status, retryAfterMs, providerError },
    reason: providerError ?? `HTTP ${status}`,
  });
}

/** `ok` without tokens is what the table cannot say. */
function unless(
  meaning: AnswerMeaning,
  facts: Omit<Extract<RefreshAnswer, { reason: string }>, 'meaning'>,
): RefreshAnswer {
  return { meaning: meaning === 'ok' ? 'unknown' : meaning, ...facts };
}

import { allowInsecureRequests, customFetch, refreshTokenGrantRequest, type CustomFetchOptions } from 'oauth4webapi';
import { RelinkError } from '../errors.js';
import { classifyAnswer } from './classification/classify-answer.js';
import type { AnswerMeaning } from './classification/rules.js';
import type { Provider } from './configure-provider.js';
import type { TokenSet } from './definition.js';
import { describeServer } from './describe-server.js';
import { holdsToken, readTokenSet } from './read-token-set.js';
import { resolveEndpoint } from './resolve-endpoint.js';
import { sendTokenRequest, type TokenResult } from './send-token-request.js';
import { showErrorCode } from './show-error-code.js';

export type RefreshAnswer =
  | { readonly meaning: 'ok'; readonly tokens: TokenSet }
  | {
      readonly meaning: Exclude<AnswerMeaning, 'ok'>;
      /** Null when there was no answer. */
      readonly httpStatus: number | null;
      /** For people: the provider's error code where it is safe to show, the status, or what failed. */
      readonly reason: string;
      /** How long the provider asks to be left alone. Milliseconds. */
      readonly retryAfterMs: number | null;
    };

export interface RefreshOptions {
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly now?: () => Date;
}

/**
 * Refreshes tokens (RFC 6749 section 6): exactly one request, never repeated here, because where refresh tokens rotate a
 * second one can end the grant. What the answer means, the table in classification/ says. An answer without a refresh
 * token keeps the one held.
 *
 * Throws RelinkError only before any request: `host_not_allowed`, and `internal` without a refresh token.
 */
export async function refreshTokens(
  provider: Provider,
  held: TokenSet,
  { timeoutMs, now = () => new Date() }: RefreshOptions,
): Promise<RefreshAnswer> {
  if (held.refreshToken === null) throw new RelinkError('internal', 'a refresh without a refresh token');
  const description = describeServer(provider, resolveEndpoint(provider, 'tokenUrl', held.extras));
  const { server, client, clientAuthentication } = description;
  const issuedAt = now();
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
  if (result.kind === 'failed') {
    const failure = result.sent ? 'cut' : 'not_sent';
    const { meaning } = classifyAnswer(provider, {
      ...{ failure, status: null, challenge: null, body: undefined, token: false },
    });
    return unless(meaning, { httpStatus: null, reason: result.reason, retryAfterMs: null });
  }

  const { answer } = result;
  const tokens = holdsToken(answer.body)
    ? await readTokenSet(provider, description, answer.body, held.extras, issuedAt, held).catch(() => null)
    : null;
  const { meaning, error } = classifyAnswer(provider, { ...answer, failure: null, token: tokens !== null });
  if (meaning === 'ok' && tokens !== null) return { meaning, tokens };
  const { status, retryAfterMs } = answer;
  const reason = (error === null ? null : showErrorCode(error)) ?? `HTTP ${status}`;
  return unless(meaning, { httpStatus: status, reason, retryAfterMs });
}

/** `ok` without tokens is what the table cannot say. */
function unless(
  meaning: AnswerMeaning,
  facts: { readonly httpStatus: number | null; readonly reason: string; readonly retryAfterMs: number | null },
): RefreshAnswer {
  return { meaning: meaning === 'ok' ? 'unknown' : meaning, ...facts };
}

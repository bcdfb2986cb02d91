import { type ErrorCode, readErrorCode, RelinkError } from '../../errors.js';
import type { Provider } from '../../providers/configure-provider.js';
import type { TokenSet } from '../../providers/definition.js';
import { exchangeCode } from '../../providers/exchange-code.js';
import { serialiseTokenSet } from '../../providers/token-set-codec.js';
import type { Session } from '../../store/port/store.js';
import { sessionGrantBinding } from '../../vault/bindings.js';
import type { HttpContext } from '../dependencies.js';
import { retryWhileAway } from './retry-while-away.js';
import type { AuthorizationRequest } from './sealed-request.js';

/** How long the sealed write is tried: the code is spent, so this write is worth waiting for. Milliseconds. */
const sealPatienceMs = 5_000;

export type ExchangeResult = { readonly kind: 'sealed' } | { readonly kind: 'failed'; readonly code: ErrorCode };

/**
 * The one exchange of a claimed session: a single token request, then the sealed write that makes it durable, or the
 * end of the session. Whoever calls this has won the claim; nobody else may.
 *
 * Never throws: the code is spent, and what became of it is the result.
 */
export async function exchangeAndSeal(
  context: HttpContext,
  session: Session,
  provider: Provider,
  request: AuthorizationRequest,
  callback: Readonly<Record<string, string>>,
): Promise<ExchangeResult> {
  const { config, log, now } = context;
  let tokens: TokenSet;
  try {
    tokens = await exchangeCode(provider, {
      callback,
      state: request.state,
      redirectUri: session.redirectUri,
      codeVerifier: request.codeVerifier,
      timeoutMs: config.exchangeTimeoutMs,
      now,
    });
  } catch (error) {
    const code = error instanceof RelinkError ? error.code : 'exchange_failed';
    const line = { sessionId: session.id, provider: provider.id, code };
    if (error instanceof RelinkError) log.info(line, `Attempt ${session.id} ended as ${code}: ${error.message}`);
    else log.error({ ...line, error }, `Attempt ${session.id} failed in an unforeseen way`);
    return await end(context, session, code);
  }
  try {
    return await seal(context, session, tokens);
  } catch (error) {
    log.error(
      { sessionId: session.id, provider: provider.id, error },
      `The grant of attempt ${session.id} could not be stored and is lost; its user has to connect again`,
    );
    return await end(context, session, 'exchange_outcome_unknown');
  }
}

async function seal(
  { store, vault, log, now }: HttpContext,
  session: Session,
  tokens: TokenSet,
): Promise<ExchangeResult> {
  const sealed = vault.seal(serialiseTokenSet(tokens), sessionGrantBinding(session.id));
  const row = await retryWhileAway(() => store.sealGrant(session.id, sealed, now()), sealPatienceMs);
  if (row !== null) return { kind: 'sealed' };
  // Either an earlier try was committed although its answer got lost, or the session was ended as abandoned.
  const current = await retryWhileAway(() => store.getSession(session.id), sealPatienceMs);
  if (current !== null && current.state !== 'failed') return { kind: 'sealed' };
  log.error({ sessionId: session.id }, `Attempt ${session.id} was ended before its grant could be stored`);
  return { kind: 'failed', code: current === null ? 'exchange_outcome_unknown' : readErrorCode(current.errorCode) };
}

/** Should this write fail too, the sweep ends the session as `exchange_outcome_unknown` a minute later. */
async function end({ store, log, now }: HttpContext, session: Session, code: ErrorCode): Promise<ExchangeResult> {
  try {
    await retryWhileAway(() => store.endSession(session.id, 'exchanging', code, now()), sealPatienceMs);
  } catch (error) {
    log.error({ sessionId: session.id, code, error }, `The end of attempt ${session.id} could not be noted`);
  }
  return { kind: 'failed', code };
}

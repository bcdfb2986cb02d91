import { setTimeout as sleep } from 'node:timers/promises';
import { exchangeAbandonedAfterMs } from '../../domain/session.js';
import { RelinkError } from '../../errors.js';
import type { Session } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';
import { exchangeAndSeal, type ExchangeResult } from './exchange-and-seal.js';
import { readOutcome, type AuthorizationAnswer } from './read-outcome.js';
import { isExpired } from './read-session.js';
import { openRequest } from './sealed-request.js';

/** Even a late exchange asks the workflow, or its row, for the answer this long: it is usually there in a tenth of it. */
const leastWaitMs = 250;

/**
 * What both callbacks do with a session that is theirs. Repeats, also at once and in other processes, are told apart
 * by one conditional write: whoever moves the row to `exchanging` makes the one token request, and everybody else
 * waits for the row to move on and answers from it. So all of them get the same answer, and it never depends on who
 * asked first. Once the code is spent, a database that is away makes the answer late (`pending`) and not an error.
 *
 * @throws RelinkError `attempt_not_found` when the session expired meanwhile; `provider_not_configured`,
 * `secret_unreadable`, `database_unavailable` before anything is spent.
 */
export async function completeAuthorization(
  context: HttpContext,
  session: Session,
  callback: Readonly<Record<string, string>>,
): Promise<AuthorizationAnswer> {
  const deadline = Date.now() + context.config.callbackDeadlineMs;
  let current = session;
  if (current.state === 'pending') {
    const exchange = await claimAndExchange(context, current, callback);
    if (exchange !== null) {
      const result = await withinDeadline(exchange.result, deadline);
      if (result === null) {
        startWhenSealed(context, session, exchange.result);
        return { kind: 'pending' };
      }
      return result.kind === 'failed' ? result : await connect(context, session, deadline);
    }
    const next = await unlessAway(readAgain(context, current), deadline);
    if (next === null) return { kind: 'pending' };
    current = next;
  }

  for (let waitMs = 50; current.state === 'exchanging'; waitMs = Math.min(waitMs * 1.5, 250)) {
    const ended = await unlessAway(endIfAbandoned(context, current), deadline);
    if (ended === null) return { kind: 'pending' };
    if (ended.session !== null) {
      current = ended.session;
      break;
    }
    if (Date.now() + waitMs > deadline) return { kind: 'pending' };
    await sleep(waitMs);
    const next = await unlessAway(readAgain(context, current), deadline);
    if (next === null) return { kind: 'pending' };
    current = next;
  }
  const outcome = readOutcome(current);
  return outcome.kind === 'pending' ? await connect(context, current, deadline) : outcome;
}

/** Null when another callback has the claim. Everything that can be checked without the claim is, before it. */
async function claimAndExchange(
  context: HttpContext,
  session: Session,
  callback: Readonly<Record<string, string>>,
): Promise<{ readonly result: Promise<ExchangeResult> } | null> {
  const { store, vault, providers, exchanges, now } = context;
  const provider = providers.get(session.provider);
  const request = openRequest(vault, session.id, session.sealedRequest);
  const claimed = await store.claimSession(session.id, now());
  if (claimed === null) return null;
  return { result: exchanges.run(() => exchangeAndSeal(context, claimed, provider, request, callback)) };
}

async function readAgain({ store, now }: HttpContext, { id }: Session): Promise<Session> {
  const session = await store.getSession(id);
  if (session === null || isExpired(session, now())) throw new RelinkError('attempt_not_found');
  return session;
}

/**
 * An exchange takes seconds; a row left in it for a minute lost its process, and so the answer to its code. Whether the
 * minute is over the database says: another machine may have claimed. Null in `session` when it is not, or ended already.
 */
async function endIfAbandoned(
  { store, log }: HttpContext,
  { id }: Session,
): Promise<{ readonly session: Session | null }> {
  const session = await store.endAbandonedSession(id, exchangeAbandonedAfterMs, 'exchange_outcome_unknown');
  if (session !== null) log.warn({ sessionId: id }, `Attempt ${id} was abandoned during its exchange`);
  return { session };
}

/** The grant is sealed: everything from here on can be done again, by a repeat, the sweep or the next start. */
async function connect(context: HttpContext, session: Session, deadline: number): Promise<AuthorizationAnswer> {
  const { store, workflows } = context;
  const waitMs = Math.max(deadline - Date.now(), leastWaitMs);
  const answer = await workflows.runReauth({ sessionId: session.id, provider: session.provider }, waitMs);
  if (answer.kind !== 'pending') return answer;
  // The run may have ended while its answer got lost; the row knows.
  const row = await unlessAway(store.getSession(session.id), Math.max(deadline, Date.now() + leastWaitMs));
  return row === null ? answer : readOutcome(row);
}

/** The caller has its 202 by now; what the exchange brings is taken further without it. */
function startWhenSealed(
  { workflows, exchanges, log }: HttpContext,
  session: Session,
  result: Promise<ExchangeResult>,
) {
  exchanges
    .run(async () => {
      if ((await result).kind === 'sealed') {
        await workflows.startReauth({ sessionId: session.id, provider: session.provider });
      }
    })
    .catch((error: unknown) => log.warn({ sessionId: session.id, error }, `The sweep will start reauth/${session.id}`));
}

/** Null too when the database is away or does not answer in time: the row tells the end to whoever asks later. */
async function unlessAway<Result>(work: Promise<Result>, deadline: number): Promise<Result | null> {
  try {
    return await withinDeadline(work, deadline);
  } catch (error) {
    if (error instanceof RelinkError && error.code === 'database_unavailable') return null;
    throw error;
  }
}

async function withinDeadline<Result>(work: Promise<Result>, deadline: number): Promise<Result | null> {
  const timer = new AbortController();
  const waitMs = Math.max(deadline - Date.now(), 0);
  try {
    return await Promise.race([work, sleep(waitMs, null, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

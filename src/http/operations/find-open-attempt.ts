import type { FastifyRequest } from 'fastify';
import { isId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { Session } from '../../store/port/store.js';
import { isBoundBrowser } from '../attempt-cookie.js';
import type { HttpContext } from '../dependencies.js';
import { isExpired } from './read-session.js';

/**
 * The session behind a start page, for the browser that asks: an open one that no other browser has bound, or any that
 * this very browser bound.
 *
 * @throws RelinkError `attempt_not_found`, the same for all others.
 */
export async function findOpenAttempt(
  context: HttpContext,
  request: FastifyRequest,
  attempt: string,
): Promise<{ readonly session: Session; readonly isBound: boolean }> {
  const session = isId('session', attempt) ? await context.store.getSession(attempt) : null;
  if (session === null || isExpired(session, context.now())) throw new RelinkError('attempt_not_found');
  const isBound = isBoundBrowser(context, request, session);
  const isOpen = session.state === 'pending' && session.browserHash === null;
  if (!isBound && !isOpen) throw new RelinkError('attempt_not_found');
  return { session, isBound };
}

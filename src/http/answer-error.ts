import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RelinkError } from '../errors.js';
import type { HttpContext } from './dependencies.js';
import { renderErrorPage } from './pages/error-page.js';
import { sendPage } from './pages/send-page.js';
import { nameRoute } from './name-route.js';
import { prefersHtml } from './prefers-html.js';
import type { ErrorAnswer } from './schemas/error.js';
import { toRelinkError } from './to-relink-error.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `page`: errors are HTML. `negotiated`: HTML where the caller prefers it. JSON otherwise. */
    answers?: 'page' | 'negotiated';
    /** No line for each answer: thousands come. The route counts them, and sums its refusals up in a line a minute. */
    quiet?: boolean;
    /** Which errors are answered by their status alone: some callers take a body for a mistake. */
    isBodiless?: (request: FastifyRequest, error: RelinkError) => boolean;
  }
  interface FastifyRequest {
    /** The code of the error this request was answered with, for its log line. */
    errorCode: string | null;
  }
}

/** The only place where an error becomes an answer. */
export function answerError(context: HttpContext, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const relinkError = toRelinkError(error);
  request.errorCode = relinkError.code;
  if (relinkError.code === 'internal') {
    const cause: unknown = relinkError.cause ?? error;
    context.log.error(
      { requestId: request.id, route: request.routeOptions.url ?? null, error: cause },
      `${nameRoute(request)} failed in an unforeseen way`,
    );
  }

  if (relinkError.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  if (relinkError.retryable) {
    reply.header('retry-after', Math.ceil((relinkError.retryAfterMs ?? 1000) / 1000));
  }
  const { answers, isBodiless } = request.routeOptions.config;
  if (isBodiless?.(request, relinkError) === true) {
    reply.code(relinkError.status).send();
    return;
  }
  if (answers === 'page' || (answers === 'negotiated' && prefersHtml(request))) {
    sendPage(context, reply.code(relinkError.status), renderErrorPage(context, relinkError.code));
    return;
  }
  // As text, so that no route's response schema can refuse it.
  reply
    .code(relinkError.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(describe(relinkError, request.id)));
}

function describe(error: RelinkError, requestId: string): ErrorAnswer {
  const { code, message, retryable, issues } = error;
  return {
    error: { code, message, retryable, ...(issues.length > 0 ? { issues: [...issues] } : {}) },
    request_id: requestId,
  };
}

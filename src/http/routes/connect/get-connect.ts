import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Session } from '../../../store/port/store.js';
import { giveAttemptCookie } from '../../attempt-cookie.js';
import type { App, HttpContext } from '../../dependencies.js';
import { addOutcomeToUrl } from '../../operations/add-outcome-to-url.js';
import type { AuthorizationAnswer } from '../../operations/complete-authorization.js';
import { findOpenAttempt } from '../../operations/find-open-attempt.js';
import { nameProvider } from '../../operations/name-provider.js';
import { errorCodeOf } from '../../operations/read-session.js';
import { renderErrorPage } from '../../pages/error-page.js';
import { renderConnectedPage, renderWorkingPage } from '../../pages/outcome-page.js';
import { sendPage } from '../../pages/send-page.js';
import { renderStartPage } from '../../pages/start-page.js';
import { errorRegistry } from '../../../errors.js';

/** Our start page; later, for the browser that began there, the attempt's outcome. */
export function getConnect(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/connect/:attempt',
    config: { answers: 'page' },
    schema: { hide: true, params: z.strictObject({ attempt: z.string() }) },
    handler: async (request, reply) => {
      const { session } = await findOpenAttempt(context, request, request.params.attempt);
      if (session.state !== 'pending') return showOutcome(context, reply, session);

      // The cookie comes with the page, so that two quick presses of its button carry the same one. It binds nothing
      // before the button is pressed.
      giveAttemptCookie(context, request, reply, session.id);
      // With `no-referrer` browsers send `Origin: null` with the form, which cannot be told from a stranger's page
      // (Fetch standard, "append a request Origin header"). To other origins this policy says just as little.
      reply.header('referrer-policy', 'same-origin');
      const { productName } = context.config;
      const providerName = nameProvider(context.providers, session.provider);
      sendPage(context, reply, renderStartPage({ productName, providerName, userId: session.userId }));
      return reply;
    },
  });
}

function showOutcome(context: HttpContext, reply: FastifyReply, session: Session): FastifyReply {
  const page = {
    productName: context.config.productName,
    providerName: nameProvider(context.providers, session.provider),
  };
  const answer = outcomeOf(session);
  if (answer.kind === 'pending') {
    sendPage(context, reply, renderWorkingPage(page));
    return reply;
  }
  if (session.returnUrl !== null) {
    return reply.redirect(addOutcomeToUrl(session.returnUrl, session.id, answer), 303);
  }
  if (answer.kind === 'failed') {
    sendPage(context, reply.code(errorRegistry[answer.code].status), renderErrorPage(context, answer.code));
  } else {
    sendPage(context, reply, renderConnectedPage(page));
  }
  return reply;
}

function outcomeOf(session: Session): AuthorizationAnswer {
  const { state, credentialId, entityId } = session;
  if (state === 'failed') return { kind: 'failed', code: errorCodeOf(session) };
  if (credentialId === null || entityId === null) return { kind: 'pending' };
  return { kind: 'connected', credentialId, entityId };
}

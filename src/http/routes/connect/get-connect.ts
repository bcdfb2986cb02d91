import type { FastifyReply } from 'fastify';
import { errorRegistry } from '../../../errors.js';
import type { Session } from '../../../store/port/store.js';
import { giveAttemptCookie } from '../../attempt-cookie.js';
import type { App, HttpContext } from '../../dependencies.js';
import { addOutcomeToUrl } from '../../operations/add-outcome-to-url.js';
import { findOpenAttempt } from '../../operations/find-open-attempt.js';
import { nameProvider } from '../../operations/name-provider.js';
import { readOutcome } from '../../operations/read-outcome.js';
import { renderErrorPage } from '../../pages/error-page.js';
import { renderConnectedPage, renderWorkingPage } from '../../pages/outcome-page.js';
import { sendPage } from '../../pages/send-page.js';
import { renderStartPage } from '../../pages/start-page.js';
import { errorPages } from '../../schemas/error.js';
import { htmlAnswer, redirectAnswer } from '../../schemas/html-answer.js';
import { attemptLink } from '../../schemas/request.js';

/** Our start page; later, for the browser that began there, the attempt's outcome. */
export function getConnect(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/connect/:attempt',
    config: { answers: 'page' },
    schema: {
      operationId: 'showConnect',
      tags: ['Browser'],
      summary: 'The start page; later the outcome',
      description:
        'Open it in the browser of the user who connects. Once its button was pressed, only the same browser sees it.',
      params: attemptLink,
      response: {
        200: htmlAnswer(
          'The start page, the page of an attempt that is still being finished, or of one that is connected.',
        ),
        303: redirectAnswer('The attempt has ended and has a return URL.', 'The return URL with the outcome.'),
        ...errorPages,
      },
    },
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
  const answer = readOutcome(session);
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

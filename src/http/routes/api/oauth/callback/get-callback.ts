import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RelinkError } from '../../../../../errors.js';
import type { Session } from '../../../../../store/port/store.js';
import { isBoundBrowser } from '../../../../attempt-cookie.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { addOutcomeToUrl } from '../../../../operations/add-outcome-to-url.js';
import { completeAuthorization } from '../../../../operations/complete-authorization.js';
import { findSessionByState } from '../../../../operations/find-session-by-state.js';
import { nameProvider } from '../../../../operations/name-provider.js';
import type { AuthorizationAnswer } from '../../../../operations/read-outcome.js';
import { renderConnectedPage } from '../../../../pages/outcome-page.js';
import { sendPage } from '../../../../pages/send-page.js';
import { prefersHtml } from '../../../../prefers-html.js';
import { presentConnection } from '../../../../present/present-connection.js';
import { presentPending } from '../../../../present/present-pending.js';
import { publicAddress } from '../../../../public-address.js';
import { connectionAnswer, pendingAnswer } from '../../../../schemas/answers.js';
import { callbackFields, callbackValue, hasCodeOrError, missingCode } from '../../../../schemas/callback.js';
import { negotiatedErrors } from '../../../../schemas/error.js';
import { htmlAnswer, redirectAnswer } from '../../../../schemas/html-answer.js';

/**
 * Where the provider sends the browser back to. No API key: whoever comes must bring the state and the cookie of the
 * browser that pressed the start page's button, so that nobody can finish an attempt in another person's browser.
 */
export function getCallback(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/oauth/callback/:provider',
    config: { answers: 'negotiated' },
    schema: {
      operationId: 'receiveCallback',
      tags: ['Browser'],
      summary: 'Where the provider sends the browser back to',
      description:
        'Needs the cookie of the browser that pressed the button. A repeat gets the same answer and spends nothing a second time.',
      params: z.strictObject({ provider: z.string().min(1).describe('The provider, by its name in the catalogue.') }),
      // Providers send parameters of their own; those the attempt does not need are left out.
      querystring: z.object(callbackFields).catchall(callbackValue).refine(hasCodeOrError, missingCode),
      response: {
        200: htmlAnswer('Connected: credential and entity are stored.', connectionAnswer),
        202: pendingAnswer.describe(
          'Not connected before the deadline; the work goes on by itself. Browsers get the 303.',
        ),
        303: redirectAnswer(
          'The attempt has a return URL, or it is pending and a browser asked.',
          'The return URL with the outcome, or the page of the attempt.',
        ),
        ...negotiatedErrors,
      },
    },
    handler: async (request, reply) => {
      const { query, params } = request;
      const session = await findSessionByState(
        context,
        query.state,
        found => found.provider === params.provider && !found.ownRedirect && isBoundBrowser(context, request, found),
      );
      const answer = await completeAuthorization(context, session, pickCallback(context, session, query));
      return answerBrowser(context, request, reply, session, answer);
    },
  });
}

function pickCallback(
  { providers }: HttpContext,
  session: Session,
  query: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const names = [...Object.keys(callbackFields), ...providers.get(session.provider).callbackParameters];
  return Object.fromEntries(
    names.flatMap(name => {
      const value = Object.hasOwn(query, name) ? query[name] : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function answerBrowser(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  session: Session,
  answer: AuthorizationAnswer,
): FastifyReply {
  const { config, providers } = context;
  if (session.returnUrl !== null) {
    return reply.redirect(addOutcomeToUrl(session.returnUrl, session.id, answer), 303);
  }
  switch (answer.kind) {
    case 'failed':
      throw new RelinkError(answer.code);
    case 'pending':
      if (prefersHtml(request)) return reply.redirect(publicAddress(config, `/connect/${session.id}`), 303);
      return reply.code(202).send(presentPending(session));
    case 'connected': {
      if (!prefersHtml(request)) {
        return reply.send(presentConnection(session, answer));
      }
      const providerName = nameProvider(providers, session.provider);
      sendPage(context, reply, renderConnectedPage({ productName: config.productName, providerName }));
      return reply;
    }
  }
}

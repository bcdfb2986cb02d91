import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RelinkError } from '../../../../../errors.js';
import type { Session } from '../../../../../store/port/store.js';
import { isBoundBrowser } from '../../../../attempt-cookie.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { addOutcomeToUrl } from '../../../../operations/add-outcome-to-url.js';
import { completeAuthorization, type AuthorizationAnswer } from '../../../../operations/complete-authorization.js';
import { findSessionByState } from '../../../../operations/find-session-by-state.js';
import { nameProvider } from '../../../../operations/name-provider.js';
import { renderConnectedPage } from '../../../../pages/outcome-page.js';
import { sendPage } from '../../../../pages/send-page.js';
import { prefersHtml } from '../../../../prefers-html.js';
import { publicAddress } from '../../../../public-address.js';
import { callbackFields, callbackValue, hasCodeOrError, missingCode } from '../../../../schemas/callback.js';

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
      hide: true,
      params: z.strictObject({ provider: z.string().min(1) }),
      // Providers send parameters of their own; those the attempt does not need are left out.
      querystring: z.object(callbackFields).catchall(callbackValue).refine(hasCodeOrError, missingCode),
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
      return reply
        .code(202)
        .send({ attempt: session.id, status: 'pending', status_url: `/api/authorize/${session.id}` });
    case 'connected': {
      if (!prefersHtml(request)) {
        return reply.send({
          credential_id: answer.credentialId,
          entity_id: answer.entityId,
          type: session.provider,
        });
      }
      const providerName = nameProvider(providers, session.provider);
      sendPage(context, reply, renderConnectedPage({ productName: config.productName, providerName }));
      return reply;
    }
  }
}

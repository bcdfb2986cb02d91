import { z } from 'zod';
import { RelinkError } from '../../../../errors.js';
import type { Provider } from '../../../../providers/configure-provider.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { completeAuthorization } from '../../../operations/complete-authorization.js';
import { findSessionByState } from '../../../operations/find-session-by-state.js';
import { presentConnection } from '../../../present/present-connection.js';
import { presentPending } from '../../../present/present-pending.js';
import { connectionAnswer, pendingAnswer } from '../../../schemas/answers.js';
import { callbackFields, callbackValue, hasCodeOrError, missingCode } from '../../../schemas/callback.js';
import { errorAnswers } from '../../../schemas/error.js';
import { entityTypeField, userRoute } from '../../../schemas/request.js';

/** The callback of products that let the provider send the browser to a page of their own. */
export function postAuthorize(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/authorize',
    schema: {
      ...userRoute,
      operationId: 'deliverCallback',
      tags: ['Connecting'],
      summary: "Deliver a callback that came to the product's own page",
      description:
        'For attempts that were begun with `redirectUri`. A repeat gets the same answer and spends nothing a second time.',
      body: z
        .strictObject({
          entityType: entityTypeField,
          // Which further parameters there are depends on the provider; the handler refuses the others.
          data: z
            .object(callbackFields)
            .catchall(callbackValue)
            .refine(hasCodeOrError, missingCode)
            .describe(
              'The query parameters that the provider sent to the page, each once, `state` and `code` or `error` among them.',
            ),
        })
        .describe('What came to the page.'),
      response: {
        200: connectionAnswer.describe('Connected: credential and entity are stored.'),
        202: pendingAnswer.describe('Not connected before the deadline; the work goes on by itself.'),
        ...errorAnswers,
      },
    },
    handler: async (request, reply) => {
      const { entityType, data } = request.body;
      const userId = readUser(request);
      const provider = context.providers.get(entityType);
      refuseUnknownParameters(provider, data);
      const session = await findSessionByState(
        context,
        data.state,
        found => found.userId === userId && found.provider === provider.id && found.ownRedirect,
      );
      const callback = Object.fromEntries(Object.entries(data).filter(isPresent));
      const answer = await completeAuthorization(context, session, callback);
      switch (answer.kind) {
        case 'connected':
          return reply.code(200).send(presentConnection(session, answer));
        case 'pending':
          return reply.code(202).send(presentPending(session));
        case 'failed':
          throw new RelinkError(answer.code);
      }
    },
  });
}

function isPresent(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

function refuseUnknownParameters(provider: Provider, data: Readonly<Record<string, unknown>>): void {
  const unknown = Object.keys(data).filter(
    name => !Object.hasOwn(callbackFields, name) && !provider.callbackParameters.includes(name),
  );
  if (unknown.length === 0) return;
  const issues = unknown.map(name => ({ path: `body.data.${name}`, message: 'is not a field of this provider' }));
  throw new RelinkError('invalid_request', undefined, { issues });
}

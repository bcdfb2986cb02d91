import { z } from 'zod';
import { RelinkError } from '../../../../errors.js';
import type { Provider } from '../../../../providers/configure-provider.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { completeAuthorization } from '../../../operations/complete-authorization.js';
import { findSessionByState } from '../../../operations/find-session-by-state.js';
import { connectionAnswer, pendingAnswer } from '../../../schemas/answers.js';
import { callbackFields, callbackValue, hasCodeOrError, missingCode } from '../../../schemas/callback.js';
import { errorAnswers } from '../../../schemas/error.js';
import { userRoute } from '../../../schemas/request.js';

/** The callback of products that let the provider send the browser to a page of their own. */
export function postAuthorize(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/authorize',
    schema: {
      ...userRoute,
      tags: ['Connecting'],
      summary: "Deliver a callback that came to the product's own page",
      body: z.strictObject({
        entityType: z.string().min(1).max(64).describe('The provider.'),
        // Which further parameters there are depends on the provider; the handler refuses the others.
        data: z.object(callbackFields).catchall(callbackValue).refine(hasCodeOrError, missingCode),
      }),
      response: { 200: connectionAnswer, 202: pendingAnswer, ...errorAnswers },
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
          return reply
            .code(200)
            .send({ credential_id: answer.credentialId, entity_id: answer.entityId, type: session.provider });
        case 'pending':
          return reply
            .code(202)
            .send({ attempt: session.id, status: 'pending', status_url: `/api/authorize/${session.id}` });
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

import { z } from 'zod';
import { createRefusalAnswer } from '../../../../../credentials/create-refusal-answer.js';
import { openFreshTokens } from '../../../../../credentials/open-fresh-tokens.js';
import { credentialKinds } from '../../../../../domain/credential-kind.js';
import { RelinkError } from '../../../../../errors.js';
import { newId } from '../../../../../ids.js';
import { authorizeRequest } from '../../../../../providers/authorize-request.js';
import { readUser, requireScope } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, userRoute } from '../../../../schemas/request.js';

/**
 * The one route that gives a secret out. The record of it is written before the answer: what cannot be recorded is not
 * handed out.
 */
export function getCredentialToken(app: App, context: HttpContext): void {
  const answerRefusal = createRefusalAnswer(context);
  app.route({
    method: 'GET',
    url: '/api/credentials/:id/token',
    schema: {
      ...userRoute,
      operationId: 'getCredentialToken',
      tags: ['Credentials'],
      summary: 'Get a token that works now',
      description:
        "For the product's own back end: an API key with the scope `tokens:read`. The token is refreshed first where it is due, and each answer is recorded. After a 401 of the provider ask again with `refused_generation`: the answer is a newer token, or says why there is none.",
      params: idParams('credential'),
      querystring: z.strictObject({
        refused_generation: z.coerce
          .number()
          .int()
          .min(1)
          .optional()
          .describe(
            'The `generation` of the token that the provider answered 401 to. The same generation in the answer says that the provider still knows the token: then the 401 is about the request.',
          ),
      }),
      response: {
        200: z
          .object({
            credential_id: z.string().describe('Id of the credential.'),
            provider: z.string().describe('The provider, by its name in the catalogue.'),
            kind: z.enum(credentialKinds).describe('What the token is.'),
            token: z.string().describe('The access token, the API key, or `<user name>:<password>`.'),
            header: z
              .object({ name: z.string().describe('Its name.'), value: z.string().describe('Its value.') })
              .describe('The header that a request to the provider carries it in.'),
            expires_at: z
              .string()
              .nullable()
              .describe('When it ends, ISO 8601, UTC; null when the provider named no time.'),
            generation: z.number().int().describe('Which token of this credential it is.'),
          })
          .describe(
            'The token. Keep it no longer than it lives, and ask again after a 401, with `refused_generation`.',
          ),
        ...errorAnswers,
      },
    },
    handler: async request => {
      const { name: apiKey } = requireScope(request, 'tokens:read');
      const userId = readUser(request);
      const { store, providers, config, now } = context;
      const own = await store.getCredentialForUser(request.params.id, userId);
      if (own === null) throw new RelinkError('not_found', request.params.id);
      const provider = providers.get(own.provider);
      const refused = request.query.refused_generation;
      if (refused !== undefined) {
        if (refused > own.generation) {
          const issue = { path: 'query.refused_generation', message: 'is newer than the stored token' };
          throw new RelinkError('invalid_request', undefined, { issues: [issue] });
        }
        await answerRefusal(own.id, refused, config.callbackDeadlineMs);
      }
      const { credential, tokens } = await openFreshTokens(context, own.id, config.callbackDeadlineMs);
      const { id: credentialId, generation } = credential;
      const header = authorizeRequest(provider, tokens);
      await store.insertTokenRead({
        ...{ id: newId('tokenRead'), credentialId, userId, apiKey, generation },
        ...{ requestId: request.id, readAt: now() },
      });
      return {
        credential_id: credentialId,
        provider: provider.id,
        kind: credential.kind,
        token: tokens.accessToken.reveal(),
        header,
        expires_at: credential.expiresAt?.toISOString() ?? null,
        generation,
      };
    },
  });
}

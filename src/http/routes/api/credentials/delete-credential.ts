import { z } from 'zod';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { deleteCredential as deleteOwnCredential } from '../../../operations/delete-credential.js';
import { refuseBody } from '../../../refuse-body.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idParams, userRoute } from '../../../schemas/request.js';

export function deleteCredential(app: App, context: HttpContext): void {
  app.route({
    method: 'DELETE',
    url: '/api/credentials/:id',
    schema: {
      ...userRoute,
      operationId: 'deleteCredential',
      tags: ['Credentials'],
      summary: 'Delete a credential and revoke its grant',
      description:
        'It is unusable from the answer on. Its grant is revoked at the provider in the background, where that can be done; entities that no integration uses go with it.',
      params: idParams('credential'),
      querystring: z.strictObject({
        force: z
          .enum(['true', 'false'])
          .default('false')
          .describe('Also while integrations use it: they go into ERROR until its account is connected again.'),
      }),
      response: { 204: z.undefined().describe('Deleted.'), ...errorAnswers },
    },
    handler: async (request, reply) => {
      refuseBody(request);
      await deleteOwnCredential(context, request.params.id, readUser(request), request.query.force === 'true');
      return reply.code(204).send();
    },
  });
}

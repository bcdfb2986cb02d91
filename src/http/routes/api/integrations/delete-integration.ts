import { z } from 'zod';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { deleteIntegration as deleteOwnIntegration } from '../../../operations/delete-integration.js';
import { getOwnIntegration } from '../../../operations/get-own-integration.js';
import { refuseBody } from '../../../refuse-body.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idParams, userRoute } from '../../../schemas/request.js';

export function deleteIntegration(app: App, context: HttpContext): void {
  app.route({
    method: 'DELETE',
    url: '/api/integrations/:id',
    schema: {
      ...userRoute,
      operationId: 'deleteIntegration',
      tags: ['Integrations'],
      summary: 'Delete an integration',
      description: 'Its entities and credentials stay.',
      params: idParams('integration'),
      response: { 204: z.undefined().describe('Deleted.'), ...errorAnswers },
    },
    handler: async (request, reply) => {
      refuseBody(request);
      const { id } = await getOwnIntegration(context, request.params.id, readUser(request));
      await deleteOwnIntegration(context, id);
      return reply.code(204).send();
    },
  });
}

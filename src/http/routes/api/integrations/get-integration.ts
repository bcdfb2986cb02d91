import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { getOwnIntegration } from '../../../operations/get-own-integration.js';
import { readQueueOf } from '../../../operations/read-queue-of.js';
import { presentIntegration } from '../../../present/present-integration.js';
import { integrationAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idParams, userRoute } from '../../../schemas/request.js';

export function getIntegration(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/integrations/:id',
    schema: {
      ...userRoute,
      operationId: 'getIntegration',
      tags: ['Integrations'],
      summary: 'See one integration with the causes of its ERROR',
      description: 'A cause names the dead credential and says what to do.',
      params: idParams('integration'),
      response: { 200: integrationAnswer.describe('The integration.'), ...errorAnswers },
    },
    handler: async request => {
      const integration = await getOwnIntegration(context, request.params.id, readUser(request));
      return { ...presentIntegration(context.integrations, integration), ...(await readQueueOf(context, integration)) };
    },
  });
}

import { z } from 'zod';
import { integrationStatuses } from '../../../../domain/status.js';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { presentIntegration } from '../../../present/present-integration.js';
import { presentPage } from '../../../present/present-page.js';
import { integrationAnswer } from '../../../schemas/answers.js';
import { listAnswer } from '../../../schemas/list-answer.js';
import { errorAnswers } from '../../../schemas/error.js';
import { idSchema, pageQuery, userRoute } from '../../../schemas/request.js';

export function listIntegrations(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/integrations',
    schema: {
      ...userRoute,
      operationId: 'listIntegrations',
      tags: ['Integrations'],
      summary: "List the user's integrations",
      description: 'All of them, or those of one status or one entity.',
      querystring: z.strictObject({
        status: z.enum(integrationStatuses).optional().describe('Only integrations of this status.'),
        entityId: idSchema('entity').optional().describe('Only integrations that work with this entity.'),
        ...pageQuery,
      }),
      response: { 200: listAnswer(integrationAnswer).describe('One page of integrations.'), ...errorAnswers },
    },
    handler: async request => {
      const { limit, cursor = null, status, entityId } = request.query;
      const filter = { ...(status && { status }), ...(entityId && { entityId }) };
      const page = await context.store.listIntegrations(readUser(request), filter, { limit, after: cursor });
      return presentPage(page, integration => presentIntegration(context.integrations, integration));
    },
  });
}

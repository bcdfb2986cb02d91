import { z } from 'zod';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { createIntegration } from '../../../operations/create-integration.js';
import { presentIntegration } from '../../../present/present-integration.js';
import { integrationAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { configField, idSchema, userRoute } from '../../../schemas/request.js';

export function postIntegration(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/integrations',
    schema: {
      ...userRoute,
      tags: ['Integrations'],
      summary: 'Create an integration, or get the one that exists already',
      body: z.strictObject({
        type: z.string().min(1).max(64),
        entities: z.array(idSchema('entity')).min(1).max(10),
        config: configField.default({}),
      }),
      response: { 200: integrationAnswer, 201: integrationAnswer, ...errorAnswers },
    },
    handler: async (request, reply) => {
      const { type, entities, config } = request.body;
      const userId = readUser(request);
      const { integration, created } = await createIntegration(context, { userId, type, entityIds: entities, config });
      return reply.code(created ? 201 : 200).send(presentIntegration(integration));
    },
  });
}

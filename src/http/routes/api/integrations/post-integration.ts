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
      operationId: 'createIntegration',
      tags: ['Integrations'],
      summary: 'Create an integration, or get the one that exists already',
      description: 'One exists for the same user, type and set of entities at most; its set-up is not run again.',
      body: z
        .strictObject({
          type: z.string().min(1).max(64).describe('The integration type, as its definition names it.'),
          entities: z.array(idSchema('entity')).min(1).max(10).describe('Ids of the entities to work with.'),
          config: configField
            .default({})
            .describe('Its settings; NEEDS_CONFIG while some that its type needs are missing.'),
        })
        .describe('The integration to create.'),
      response: {
        200: integrationAnswer.describe('It existed already and is unchanged.'),
        201: integrationAnswer.describe('Created.'),
        ...errorAnswers,
      },
    },
    handler: async (request, reply) => {
      const { type, entities, config } = request.body;
      const userId = readUser(request);
      const { integration, created } = await createIntegration(context, { userId, type, entityIds: entities, config });
      return reply.code(created ? 201 : 200).send(presentIntegration(context.integrations, integration));
    },
  });
}

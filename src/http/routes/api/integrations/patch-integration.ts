import { z } from 'zod';
import { readUser } from '../../../authenticate.js';
import type { App, HttpContext } from '../../../dependencies.js';
import { getOwnIntegration } from '../../../operations/get-own-integration.js';
import { updateIntegration } from '../../../operations/update-integration.js';
import { presentIntegration } from '../../../present/present-integration.js';
import { integrationAnswer } from '../../../schemas/answers.js';
import { errorAnswers } from '../../../schemas/error.js';
import { configField, idParams, userRoute } from '../../../schemas/request.js';

export function patchIntegration(app: App, context: HttpContext): void {
  app.route({
    method: 'PATCH',
    url: '/api/integrations/:id',
    schema: {
      ...userRoute,
      operationId: 'updateIntegration',
      tags: ['Integrations'],
      summary: 'Pause an integration, switch it on, or replace its config',
      description: 'Sets what the user wants; the status that follows is computed.',
      params: idParams('integration'),
      body: z
        .strictObject({
          status: z
            .enum(['ENABLED', 'DISABLED'])
            .optional()
            .describe('DISABLED pauses, ENABLED switches on, which is ERROR while a cause is open.'),
          config: configField.optional().describe('Replaces the whole config.'),
        })
        .refine(body => body.status !== undefined || body.config !== undefined, 'status or config is required')
        .describe('What to change: `status`, `config` or both.'),
      response: { 200: integrationAnswer.describe('The integration as it is now.'), ...errorAnswers },
    },
    handler: async request => {
      const { status, config } = request.body;
      const { id } = await getOwnIntegration(context, request.params.id, readUser(request));
      const change = {
        ...(status !== undefined && { intent: status === 'ENABLED' ? ('on' as const) : ('paused' as const) }),
        ...(config !== undefined && { config }),
      };
      return presentIntegration(context.integrations, await updateIntegration(context, id, change));
    },
  });
}

import { z } from 'zod';
import { replayableStates } from '../../../../../domain/delivery.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { getOwnIntegration } from '../../../../operations/get-own-integration.js';
import { replayDeliveriesOf } from '../../../../operations/replay-deliveries.js';
import { queuedAnswer } from '../../../../schemas/delivery-answers.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, userRoute } from '../../../../schemas/request.js';

export function replayDeliveries(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/integrations/:id/deliveries/replay',
    schema: {
      ...userRoute,
      operationId: 'replayDeliveries',
      tags: ['Webhooks'],
      summary: 'Run all failed, discarded or expired deliveries again',
      description: 'Oldest first, a thousand at a time.',
      params: idParams('integration'),
      body: z
        .strictObject(
          { state: z.enum(replayableStates).describe('The state they are in.') },
          {
            error: ({ code }) =>
              code === 'invalid_type' ? 'must be {"state": "failed"}, or discarded, or expired' : undefined,
          },
        )
        .describe('Which ones to run again.'),
      response: { 200: queuedAnswer.describe('How many were queued.'), ...errorAnswers },
    },
    handler: async request => {
      const integration = await getOwnIntegration(context, request.params.id, readUser(request));
      return replayDeliveriesOf(context, integration, request.body.state);
    },
  });
}

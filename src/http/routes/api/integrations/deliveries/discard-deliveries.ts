import { z } from 'zod';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { getOwnIntegration } from '../../../../operations/get-own-integration.js';
import { refuseBody } from '../../../../refuse-body.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, userRoute } from '../../../../schemas/request.js';

/** Of one call. */
const mostAtOnce = 1_000;

export function discardDeliveries(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/integrations/:id/deliveries/discard',
    schema: {
      ...userRoute,
      operationId: 'discardDeliveries',
      tags: ['Webhooks'],
      summary: 'Discard what is queued or held',
      description:
        'Oldest first, a thousand at a time. What is being worked on goes on. They stay listed and can be replayed.',
      params: idParams('integration'),
      response: {
        200: z
          .object({
            discarded: z.number().int().describe('How many were discarded.'),
            more: z.boolean().describe('There are more of them: call again.'),
          })
          .describe('How many were discarded.'),
        ...errorAnswers,
      },
    },
    handler: async request => {
      refuseBody(request);
      const { id } = await getOwnIntegration(context, request.params.id, readUser(request));
      const which = { limit: mostAtOnce };
      const discarded = await context.store.discardDeliveries(id, which, 'discarded_by_hand', context.now());
      if (discarded > 0) context.metrics.ended.inc({ state: 'discarded', reason: 'discarded_by_hand' }, discarded);
      return { discarded, more: discarded === mostAtOnce };
    },
  });
}

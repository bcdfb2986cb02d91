import { z } from 'zod';
import { deliveryStates } from '../../../../../domain/delivery.js';
import { gateOfState } from '../../../../../integrations/gate-of.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { getOwnIntegration } from '../../../../operations/get-own-integration.js';
import { presentDelivery } from '../../../../present/present-delivery.js';
import { presentPage } from '../../../../present/present-page.js';
import { listAnswer } from '../../../../schemas/list-answer.js';
import { deliveryAnswer } from '../../../../schemas/delivery-answers.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { idParams, pageQuery, userRoute } from '../../../../schemas/request.js';

export function listDeliveries(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/integrations/:id/deliveries',
    schema: {
      ...userRoute,
      operationId: 'listDeliveries',
      tags: ['Webhooks'],
      summary: "List an integration's deliveries",
      description: 'Those that ended are listed until their retention is over.',
      params: idParams('integration'),
      querystring: z.strictObject({
        state: z.enum(deliveryStates).optional().describe('Only deliveries in this state.'),
        ...pageQuery,
      }),
      response: { 200: listAnswer(deliveryAnswer).describe('One page of deliveries.'), ...errorAnswers },
    },
    handler: async request => {
      const { limit, cursor = null, state } = request.query;
      const integration = await getOwnIntegration(context, request.params.id, readUser(request));
      const filter = state === undefined ? {} : { state };
      const page = await context.store.listDeliveries(integration.id, filter, { limit, after: cursor });
      const gate = gateOfState(context.integrations, integration);
      return presentPage(page, delivery => presentDelivery(delivery, gate));
    },
  });
}

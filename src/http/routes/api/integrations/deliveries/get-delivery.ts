import { RelinkError } from '../../../../../errors.js';
import { gateOfState } from '../../../../../integrations/gate-of.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { getOwnIntegration } from '../../../../operations/get-own-integration.js';
import { presentDelivery } from '../../../../present/present-delivery.js';
import { deliveryAnswer } from '../../../../schemas/delivery-answers.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { deliveryParams, userRoute } from '../../../../schemas/request.js';

export function getDelivery(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/api/integrations/:id/deliveries/:deliveryId',
    schema: {
      ...userRoute,
      operationId: 'getDelivery',
      tags: ['Webhooks'],
      summary: 'See one delivery',
      description: 'How often it was tried, how it ended, and when it is tried again.',
      params: deliveryParams,
      response: { 200: deliveryAnswer.describe('The delivery.'), ...errorAnswers },
    },
    handler: async request => {
      const { id, deliveryId } = request.params;
      const integration = await getOwnIntegration(context, id, readUser(request));
      const delivery = await context.store.getDelivery(integration.id, deliveryId);
      if (delivery === null) throw new RelinkError('not_found', deliveryId);
      return presentDelivery(delivery, gateOfState(context.integrations, integration));
    },
  });
}

import { RelinkError } from '../../../../../errors.js';
import { gateOfState } from '../../../../../integrations/gate-of.js';
import { readUser } from '../../../../authenticate.js';
import type { App, HttpContext } from '../../../../dependencies.js';
import { getOwnIntegration } from '../../../../operations/get-own-integration.js';
import { replayDelivery as replayOne } from '../../../../operations/replay-delivery.js';
import { presentDelivery } from '../../../../present/present-delivery.js';
import { refuseBody } from '../../../../refuse-body.js';
import { deliveryAnswer } from '../../../../schemas/delivery-answers.js';
import { errorAnswers } from '../../../../schemas/error.js';
import { deliveryParams, userRoute } from '../../../../schemas/request.js';

export function replayDelivery(app: App, context: HttpContext): void {
  app.route({
    method: 'POST',
    url: '/api/integrations/:id/deliveries/:deliveryId/replay',
    schema: {
      ...userRoute,
      operationId: 'replayDelivery',
      tags: ['Webhooks'],
      summary: 'Run a failed, discarded or expired delivery again',
      description: 'With all its attempts, at its place in the order of arrival, and with the same idempotency key.',
      params: deliveryParams,
      response: { 200: deliveryAnswer.describe('The delivery, queued again.'), ...errorAnswers },
    },
    handler: async request => {
      refuseBody(request);
      const { id, deliveryId } = request.params;
      const integration = await getOwnIntegration(context, id, readUser(request));
      await replayOne(context, integration, deliveryId);
      const delivery = await context.store.getDelivery(integration.id, deliveryId);
      if (delivery === null) throw new RelinkError('not_found', deliveryId);
      return presentDelivery(delivery, gateOfState(context.integrations, integration));
    },
  });
}

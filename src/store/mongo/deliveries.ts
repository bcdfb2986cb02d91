import type { DeliveryStore } from '../port/delivery-store.js';
import { toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { createDeliveryClaims } from './delivery-claims.js';
import { stageOf, toDelivery, withoutContent } from './delivery-documents.js';
import { createDeliveryQueues } from './delivery-queues.js';
import { createDeliveryUpkeep } from './delivery-upkeep.js';
import { insertDeliveries } from './insert-deliveries.js';
import { firstOf } from './map-documents.js';
import { readConsumerGate } from './read-consumer-gate.js';
import { readIntakeTargets } from './read-intake-targets.js';
import { readIntegrationGates } from './read-integration-gates.js';
import { afterCursor } from './read-page.js';

/** Deliveries in MongoDB. */
export function createDeliveryStore(collections: Collections): DeliveryStore {
  const { deliveries } = collections;
  return {
    ...createDeliveryClaims(collections),
    ...createDeliveryQueues(collections),
    ...createDeliveryUpkeep(collections),
    insertDeliveries: rows => insertDeliveries(collections, rows),
    readIntegrationGates: ids => readIntegrationGates(collections, ids),
    readConsumerGate: (id, claim) => readConsumerGate(collections, id, claim),
    readIntakeTargets: ids => readIntakeTargets(collections, ids),

    async getDelivery(integrationId, id) {
      return firstOf(await deliveries.findOne({ _id: id, integrationId }, withoutContent), toDelivery);
    },

    async listDeliveries(integrationId, { state }, page) {
      const found = await deliveries
        .find({ integrationId, ...(state && { stage: stageOf(state), state }), ...afterCursor(page) }, withoutContent)
        .sort({ _id: 1 })
        .limit(page.limit + 1)
        .toArray();
      return toPage(found.map(toDelivery), page, delivery => delivery.id);
    },
  };
}

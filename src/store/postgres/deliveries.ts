import type { DeliveryStore } from '../port/delivery-store.js';
import type { PostgresClient } from './create-client.js';
import type { DirectQuery } from './create-pool.js';
import { createDeliveryClaims } from './delivery-claims.js';
import { createDeliveryQueues } from './delivery-queues.js';
import { deliveryColumns, toDelivery } from './delivery-rows.js';
import { createDeliveryUpkeep } from './delivery-upkeep.js';
import { insertDeliveries } from './insert-deliveries.js';
import { afterCursor, toPage } from './page-rows.js';
import { readConsumerGate } from './read-consumer-gate.js';
import { readIntakeTargets } from './read-intake-targets.js';
import { readIntegrationGates } from './read-integration-gates.js';

/** Deliveries in PostgreSQL. */
export function createDeliveryStore(client: PostgresClient, direct: DirectQuery): DeliveryStore {
  const { delivery: deliveries } = client;
  return {
    ...createDeliveryClaims(client, direct),
    ...createDeliveryQueues(direct),
    ...createDeliveryUpkeep(client),
    insertDeliveries: rows => insertDeliveries(direct, rows),
    readIntegrationGates: ids => readIntegrationGates(direct, ids),
    readConsumerGate: (id, claim) => readConsumerGate(direct, id, claim),
    readIntakeTargets: ids => readIntakeTargets(direct, ids),

    async getDelivery(integrationId, id) {
      const row = await deliveries.findUnique({
        where: { integrationId_id: { integrationId, id } },
        select: deliveryColumns,
      });
      return row && toDelivery(row);
    },

    async listDeliveries(integrationId, { state }, page) {
      const { position, take } = afterCursor(page);
      const rows = await deliveries.findMany({
        where: { integrationId, ...(state && { state, ...impliedBy[state] }), id: position },
        orderBy: { id: 'asc' },
        take,
        select: deliveryColumns,
      });
      return toPage(rows.map(toDelivery), page, delivery => delivery.id);
    },
  };
}

/** What a state says of other columns (checks in the migration hold it): the conditions of the partial indexes. */
const pending = { finishedAt: null };
const unhandled = { finishedAt: { not: null }, reason: { not: null } };
const impliedBy = {
  queued: pending,
  claimed: pending,
  succeeded: {},
  failed: unhandled,
  discarded: unhandled,
  expired: unhandled,
};

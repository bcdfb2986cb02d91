import type { IntegrationId } from '../../domain/ids.js';
import type { ConsumerGate } from '../port/delivery-rows.js';
import type { Collections } from './connect.js';
import { readIntegrationGates } from './read-integration-gates.js';

/** Two reads at the same time: which of them is the newer one does not matter, since either of them may say stop. */
export async function readConsumerGate(
  collections: Collections,
  integrationId: IntegrationId,
  claim: string,
): Promise<ConsumerGate> {
  const [rows, consumer] = await Promise.all([
    readIntegrationGates(collections, [integrationId]),
    collections.consumers.findOne({ _id: integrationId, claim }, { projection: { _id: 1 } }),
  ]);
  return { row: rows.at(0) ?? null, isConsumer: consumer !== null };
}

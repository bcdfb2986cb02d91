import type { IntegrationId } from '../../domain/ids.js';
import type { ConsumerGate } from '../port/delivery-rows.js';
import type { Collections } from './connect.js';
import { idOnly } from './id-only.js';
import { gateFields, toGate } from './read-integration-gates.js';

/** Two reads at the same time: which of them is the newer one does not matter, since either of them may say stop. */
export async function readConsumerGate(
  { integrations, consumers }: Collections,
  integrationId: IntegrationId,
  claim: string,
): Promise<ConsumerGate> {
  const [found, consumer] = await Promise.all([
    integrations.findOne({ _id: integrationId }, { projection: gateFields }),
    consumers.findOne({ _id: integrationId, claim }, idOnly),
  ]);
  return { row: found && toGate(found), isConsumer: consumer !== null };
}

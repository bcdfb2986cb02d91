import { z } from 'zod';
import { deliveryReasons, deliveryStates } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId, ProviderId } from '../../domain/ids.js';
import type { ClaimedDelivery, Delivery } from '../port/delivery-rows.js';
import type { Delivery as DeliveryRow } from './generated/client.js';

const state = z.enum(deliveryStates);
const reason = z.enum(deliveryReasons).nullable();

/** Everything of a row but its content. */
export const deliveryColumns = {
  id: true,
  integrationId: true,
  provider: true,
  externalId: true,
  state: true,
  attempts: true,
  crashes: true,
  nextAttemptAt: true,
  reason: true,
  detail: true,
  receivedAt: true,
  finishedAt: true,
} as const;

export function toDelivery(row: Pick<DeliveryRow, keyof typeof deliveryColumns>): Delivery {
  return {
    ...row,
    id: row.id as DeliveryId,
    integrationId: row.integrationId as IntegrationId,
    provider: row.provider as ProviderId,
    state: state.parse(row.state),
    reason: reason.parse(row.reason),
  };
}

/** A claimed row as raw SQL returns it; one of nulls alone says that the consumer holds and nothing is due. */
export const claimedRows = z.array(
  z.object({
    id: z.string().nullable(),
    external_id: z.string().nullable(),
    provider: z.string().nullable(),
    sealed_content: z.string().nullable(),
    received_at: z.date().nullable(),
    attempts: z.number().nullable(),
    crashes: z.number().nullable(),
    suspect: z.boolean().nullable(),
  }),
);

export function toClaimed(row: z.output<typeof claimedRows>[number]): ClaimedDelivery | null {
  if (row.id === null || row.received_at === null) return null;
  return {
    id: row.id as DeliveryId,
    externalId: row.external_id ?? '',
    provider: (row.provider ?? '') as ProviderId,
    sealedContent: row.sealed_content ?? '',
    receivedAt: row.received_at,
    attempts: row.attempts ?? 0,
    crashes: row.crashes ?? 0,
    suspect: row.suspect ?? false,
  };
}

import { z } from 'zod';
import { deliveryReasons, deliveryStates, type DeliveryState } from '../../domain/delivery.js';
import type { DeliveryId, IntegrationId, ProviderId } from '../../domain/ids.js';
import type { ClaimedDelivery, Delivery } from '../port/delivery-rows.js';
import { textOrNull } from './map-documents.js';

/**
 * Where a delivery stands, for the indexes: `pending` while it is queued or claimed, its state once it ended. A claim
 * then changes no key of an index. It takes the place of a partial index, which not every product has.
 */
export const pending = 'pending';
export const stageOf = (state: DeliveryState): string => (state === 'queued' || state === 'claimed' ? pending : state);

/** `dueAt` of a delivery that is due as soon as the gate lets it: one range then finds all that are due. */
export const atOnce = new Date(0);

/** What a delivery is that nobody has touched yet. */
export const untouched = {
  ...{ stage: pending, state: 'queued', attempts: 0, crashes: 0, suspect: false, dueAt: atOnce },
  ...{ claim: null, fence: 0, lot: null, reason: null, detail: null, finishedAt: null },
};

const counter = z.number().int();

export const deliveryShape = z.object({
  _id: z.string().transform(id => id as DeliveryId),
  integrationId: z.string().transform(id => id as IntegrationId),
  provider: z.string().transform(id => id as ProviderId),
  externalId: z.string(),
  state: z.enum(deliveryStates),
  attempts: counter,
  crashes: counter,
  dueAt: z.date(),
  reason: z
    .enum(deliveryReasons)
    .nullish()
    .transform(value => value ?? null),
  detail: textOrNull,
  receivedAt: z.date(),
  finishedAt: z
    .date()
    .nullish()
    .transform(value => value ?? null),
});

/** Everything of a delivery but its content. */
export const withoutContent = { projection: { sealedContent: 0 } };

export function toDelivery(document: unknown): Delivery {
  const { _id: id, dueAt, ...rest } = deliveryShape.parse(document);
  return { id, ...rest, nextAttemptAt: dueAt.getTime() === atOnce.getTime() ? null : dueAt };
}

const claimedShape = z.object({
  _id: z.string().transform(id => id as DeliveryId),
  externalId: z.string(),
  provider: z.string().transform(id => id as ProviderId),
  sealedContent: z.string(),
  receivedAt: z.date(),
  attempts: counter,
  crashes: counter,
  suspect: z.boolean(),
});

export function toClaimed(document: unknown): ClaimedDelivery {
  const { _id: id, ...rest } = claimedShape.parse(document);
  return { id, ...rest };
}

const headShape = z.object({
  _id: z.string(),
  state: z.enum(deliveryStates),
  suspect: z.boolean(),
  fence: counter,
  dueAt: z.date(),
  size: counter,
});
export type QueueHead = z.output<typeof headShape>;
export const headFields = { _id: 1, state: 1, suspect: 1, fence: 1, dueAt: 1, size: 1 } as const;
export const toHead = (document: unknown): QueueHead => headShape.parse(document);

const consumerShape = z.object({ fence: counter });
export const toFence = (document: unknown): number => consumerShape.parse(document).fence;

export const byArrival = { sequence: 1 } as const;

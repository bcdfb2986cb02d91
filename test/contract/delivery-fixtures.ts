import { randomBytes } from 'node:crypto';
import type { DeliveryId, IntegrationId } from '../../src/domain/ids.js';
import { newId } from '../../src/ids.js';
import type {
  ClaimedDelivery,
  ClaimRequest,
  Delivery,
  DeliveryOutcome,
  NewDelivery,
  Store,
} from '../../src/store/port/store.js';
import { attio, later, noon, type StoreUnderTest } from './fixtures.js';

/** Deliveries need no row of their integration: one may be gone while its deliveries are accounted for. */
export const newIntegration = (): IntegrationId => newId('integration');

export function deliveryOf(integrationId: IntegrationId, overrides: Partial<NewDelivery> = {}): NewDelivery {
  return {
    id: newId('delivery'),
    integrationId,
    provider: attio,
    externalId: `evt-${randomBytes(8).toString('hex')}`,
    sealedContent: 'sealed-content',
    receivedAt: noon,
    ...overrides,
  };
}

/** Stores `count` deliveries, a second apart from `noon` on, and returns their ids in the order of arrival. */
export async function insertSome(store: Store, integrationId: IntegrationId, count: number): Promise<DeliveryId[]> {
  const rows = Array.from({ length: count }, (_, index) =>
    deliveryOf(integrationId, { receivedAt: later(noon, index * 1_000) }),
  );
  const outcomes = await store.insertDeliveries(rows);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(rows.map(() => 'stored'));
  return rows.map(({ id }) => id);
}

/** An hour after noon: everything that `insertSome` stored came before. */
export const one = later(noon, 3_600_000);

export function claimOf(integrationId: IntegrationId, overrides: Partial<ClaimRequest> = {}): ClaimRequest {
  return { integrationId, claim: 'run/1', order: 'arrival', limit: 200, now: one, ...overrides };
}

/** Claims a lot as a consumer that holds its integration. */
export async function claimLot(
  store: Store,
  integrationId: IntegrationId,
  overrides: Partial<ClaimRequest> = {},
): Promise<readonly ClaimedDelivery[]> {
  const lot = await store.claimDeliveries(claimOf(integrationId, overrides));
  if (lot === null) throw new Error('the consumer was replaced');
  return lot;
}

export async function readDelivery(store: Store, integrationId: IntegrationId, id: DeliveryId): Promise<Delivery> {
  const delivery = await store.getDelivery(integrationId, id);
  if (delivery === null) throw new Error(`no delivery ${id}`);
  return delivery;
}

export const idsOf = (rows: readonly { readonly id: DeliveryId }[]): DeliveryId[] => rows.map(({ id }) => id);

export const succeeded = (id: DeliveryId): DeliveryOutcome => ({ id, kind: 'succeeded' });
export const failed = (id: DeliveryId, detail: string | null = null): DeliveryOutcome => ({
  id,
  kind: 'failed',
  reason: 'handler_refused',
  detail,
  nextAttemptAt: null,
});
export const retry = (id: DeliveryId, nextAttemptAt: Date): DeliveryOutcome => ({
  id,
  kind: 'retry',
  reason: 'handler_failed',
  detail: 'HTTP 500',
  nextAttemptAt,
});
export const released = (id: DeliveryId, ran: boolean): DeliveryOutcome => ({ id, kind: 'released', ran });

/** Makes `run/1` the consumer, claims everything and ends each as `end` says. */
export async function endAll(
  store: Store,
  integrationId: IntegrationId,
  end: (id: DeliveryId) => DeliveryOutcome,
  at = one,
): Promise<void> {
  await store.becomeConsumer(integrationId, 'run/1', at);
  const lot = await claimLot(store, integrationId);
  expect(
    await store.finishDeliveries(
      integrationId,
      'run/1',
      lot.map(({ id }) => end(id)),
      at,
    ),
  ).toEqual([]);
}

/** An integration with so many deliveries, and the consumer run/1. */
export async function consumedBy({ first, second }: StoreUnderTest, count: number) {
  const integrationId = newIntegration();
  const ids = await insertSome(first, integrationId, count);
  await first.becomeConsumer(integrationId, 'run/1', one);
  const end = (...outcomes: DeliveryOutcome[]) => first.finishDeliveries(integrationId, 'run/1', outcomes, one);
  return {
    first,
    second,
    integrationId,
    ids,
    end,
    read: (index: number) => readDelivery(second, integrationId, ids[index]!),
  };
}

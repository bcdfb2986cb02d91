import { newId } from '../../../../ids.js';
import type { DeliveryId, IntegrationId, ProviderId } from '../../../../domain/ids.js';
import type { ClaimRequest, Page, PageRequest, Store } from '../../../../store/port/store.js';
import type { PlanCall } from './plan-call.js';

/** It got far more than the others: what is pending there may not cost what ever came. */
export const busy = 'int_00000000000000000000000000000007' as IntegrationId;
export const calm = 'int_00000000000000000000000000000008' as IntegrationId;
export const everyone = Array.from({ length: 1_000 }, (_, index) => numbered(index));
const page = { limit: 100, after: null };
const now = new Date();
const long = new Date(now.getTime() - 86_400_000);

function numbered(place: number): IntegrationId {
  return `int_${String(place).padStart(32, '0')}` as IntegrationId;
}

type Row = readonly [string, number, number, PlanCall['call']];

/**
 * The queue's calls over seedDeliveries of these thousand integrations with `each` of them, and 20,000 more of the busy
 * one; in this order, since some of them change what the next ones find.
 */
export function deliveryCalls(each: number): readonly PlanCall[] {
  const rows: readonly Row[] = [
    ['a claim', 10, 60, db => db.claimDeliveries(claimOf(busy))],
    ['a claim without order', 5, 40, db => db.claimDeliveries(claimOf(calm, 'none'))],
    ['the end of a lot', 0, 60, db => claimAndFinish(db, numbered(9))],
    ['becoming the consumer', 0, 40, async db => (await db.becomeConsumer(busy, 'run/2', new Date()), [])],
    ['what is due', 998, 6_000, db => db.findDueIntegrations(everyone, now)],
    ['what is due by arrival', 998, 6_000, db => db.findDueIntegrations(everyone, now, everyone)],
    ['what is due of 10', 10, 100, db => db.findDueIntegrations(everyone.slice(20, 30), now)],
    ['the next due', 1, 40, async db => [await db.findNextDue(busy, 'arrival')]],
    ['the next due without order', 1, 40, async db => [await db.findNextDue(busy, 'none')]],
    ['whether something is pending', 1, 20, async db => [await db.hasPendingDeliveries(busy)]],
    ['a queue', 1, 40, async db => [await db.readQueue(busy, 10_001)]],
    ['the queues', 100, 1_500, async db => (await db.listQueues(page, 10_001)).rows],
    ['a page of deliveries', 100, 400, async db => (await db.listDeliveries(busy, {}, page)).rows],
    ['a page of failed ones', 6, 100, async db => (await db.listDeliveries(busy, { state: 'failed' }, page)).rows],
    [
      'a page of queued ones',
      5,
      100,
      async db => (await db.listDeliveries(numbered(13), { state: 'queued' }, page)).rows,
    ],
    ['one delivery', 1, 10, async db => [await db.getDelivery(busy, idOf(7 * each))]],
    [
      'the replay of a state',
      3,
      100,
      async db => count(await db.replayDeliveries(calm, { state: 'failed', limit: 100 })),
    ],
    [
      'expiry',
      5,
      200,
      async db => count((await db.expireDeliveries(numbered(10), { before: now, keep: 9, limit: 9 }, now)).tooLong),
    ],
    [
      'too many',
      3,
      200,
      async db =>
        count((await db.expireDeliveries(numbered(11), { before: new Date(0), keep: 2, limit: 9 }, now)).tooMany),
    ],
    [
      'a discard',
      5,
      100,
      async db => count(await db.discardDeliveries(numbered(12), { limit: 9 }, 'discarded_by_hand', now)),
    ],
    ['retention', 100, 400, async db => count(await db.deleteFinishedDeliveries(now, 100))],
    ['the end of stale consumers', 20, 100, async db => count(await db.deleteStaleConsumers(long, 20))],
    [
      'an intake of known ones',
      0,
      100,
      async db => (await insertKnown(db)).filter(({ outcome }) => outcome !== 'duplicate'),
    ],
    [
      'what subscriptions are due',
      20,
      60,
      async db => (await db.listDueSubscriptions(now, { limit: 20, after: null })).rows,
    ],
    ['their next page', 20, 120, async db => (await secondPage(page => db.listDueSubscriptions(now, page))).rows],
  ];
  return rows.map(([name, expected, atMost, call]) => ({ name, expected, atMost, call }));
}

const idOf = (place: number) => `dlv_${String(place).padStart(32, '0')}` as DeliveryId;
const count = (length: number) => ({ length });

function claimOf(integrationId: IntegrationId, order: ClaimRequest['order'] = 'arrival'): ClaimRequest {
  return { integrationId, claim: 'run/1', order, limit: 200, now };
}

async function claimAndFinish(db: Store, integrationId: IntegrationId): Promise<readonly unknown[]> {
  const lot = (await db.claimDeliveries(claimOf(integrationId))) ?? [];
  if (lot.length === 0) throw new Error('nothing was claimed');
  const outcomes = lot.map(({ id }) => ({ id, kind: 'succeeded' as const }));
  return db.finishDeliveries(integrationId, 'run/1', outcomes, now);
}

async function secondPage<Row>(list: (page: PageRequest) => Promise<Page<Row>>): Promise<Page<Row>> {
  const { next } = await list({ limit: 20, after: null });
  return list({ limit: 20, after: next });
}

const insertKnown = (db: Store) =>
  db.insertDeliveries(
    everyone.slice(30, 50).map(integrationId => ({
      ...{ id: newId('delivery'), integrationId, provider: 'attio' as ProviderId, externalId: 'evt1' },
      ...{ sealedContent: 'sealed-content', receivedAt: now },
    })),
  );

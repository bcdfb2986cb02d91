import type { IntegrationId } from '../../domain/ids.js';
import type { QueueRow } from '../port/delivery-rows.js';
import type { DeliveryStore } from '../port/delivery-store.js';
import { toPage } from '../pages.js';
import type { Collections } from './connect.js';
import { atOnce, byArrival, headFields, pending, toDelivery, toHead, withoutContent } from './delivery-documents.js';
import { idOnly } from './id-only.js';

type Queues = Pick<
  DeliveryStore,
  'hasPendingDeliveries' | 'findDueIntegrations' | 'findNextDue' | 'readQueue' | 'listQueues'
>;

/** Looks at what is pending, by its own part of the index (stage, integration, order of arrival). */
export function createDeliveryQueues({ deliveries }: Collections): Queues {
  const queued = (integrationId: IntegrationId) => ({ stage: pending, integrationId, state: 'queued' });

  async function isDue(integrationId: IntegrationId, now: Date, byItsFirst: boolean): Promise<boolean> {
    const due = { state: 'queued', dueAt: { $lte: now } };
    const [first] = await deliveries
      .find({ stage: pending, integrationId, ...(byItsFirst ? {} : due) }, { projection: headFields })
      .sort(byArrival)
      .limit(1)
      .toArray();
    if (first === undefined) return false;
    const head = toHead(first);
    return head.state === 'queued' && head.dueAt <= now;
  }

  async function readQueue(integrationId: IntegrationId, countLimit: number): Promise<QueueRow | null> {
    const waiting = { stage: pending, integrationId };
    const [[oldest], [newest], count] = await Promise.all([
      deliveries.find(waiting, withoutContent).sort(byArrival).limit(1).toArray(),
      deliveries.find(waiting, withoutContent).sort({ sequence: -1 }).limit(1).toArray(),
      deliveries.countDocuments(waiting, { limit: countLimit }),
    ]);
    if (oldest === undefined || newest === undefined || count === 0) return null;
    const [first, last] = [toDelivery(oldest), toDelivery(newest)];
    return {
      ...{ integrationId, pending: count },
      ...{ oldestReceivedAt: first.receivedAt, newestReceivedAt: last.receivedAt },
    };
  }

  return {
    readQueue,

    async hasPendingDeliveries(integrationId) {
      return (await deliveries.findOne({ stage: pending, integrationId }, idOnly)) !== null;
    },

    async findDueIntegrations(ids, now, byItsFirst = []) {
      if (ids.length === 0) return [];
      // Most have nothing at all, which one look for all of them tells.
      const busy: readonly unknown[] = await deliveries.distinct('integrationId', {
        stage: pending,
        integrationId: { $in: [...ids] },
      });
      const asked = ids.filter(id => busy.includes(id));
      const due = await Promise.all(asked.map(id => isDue(id, now, byItsFirst.includes(id))));
      return asked.filter((_, place) => due[place]);
    },

    async findNextDue(integrationId, order) {
      const [next] = await deliveries
        .find(queued(integrationId), { projection: headFields })
        .sort(order === 'arrival' ? byArrival : { dueAt: 1 })
        .limit(1)
        .toArray();
      if (next === undefined) return null;
      const { dueAt } = toHead(next);
      return { at: dueAt.getTime() === atOnce.getTime() ? null : dueAt };
    },

    async listQueues(page, countLimit) {
      // Hops from integration to integration in the index, so that the cost follows their number and not that of
      // their deliveries.
      const ids: IntegrationId[] = [];
      let after = page.after ?? '';
      while (ids.length <= page.limit) {
        const [next] = await deliveries
          .find({ stage: pending, integrationId: { $gt: after } }, withoutContent)
          .sort({ integrationId: 1 })
          .limit(1)
          .toArray();
        if (next === undefined) break;
        const { integrationId } = toDelivery(next);
        ids.push(integrationId);
        after = integrationId;
      }
      const { rows, next } = toPage(ids, page, id => id);
      const queues = await Promise.all(rows.map(id => readQueue(id, countLimit)));
      // Without those that were emptied since.
      return { rows: queues.filter(queue => queue !== null), next };
    },
  };
}

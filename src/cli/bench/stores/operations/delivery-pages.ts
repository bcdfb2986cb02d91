import { withoutContent } from '../../../../store/mongo/delivery-documents.js';
import { deliveryColumns } from '../../../../store/postgres/delivery-rows.js';
import { defineOperation, type Operation } from '../operation.js';

/** What the API shows of deliveries. */
export const deliveryPageOperations: readonly Operation[] = [
  defineOperation({
    name: 'getDelivery',
    writes: false,
    prepare: async scene => {
      const rows = (await scene.addQueues(scene.lot, 0, 'run/1')).flatMap(id => scene.newDeliveries(id, scene.lot));
      await scene.store.insertDeliveries(rows);
      return rows;
    },
    port: (store, { integrationId, id }) => store.getDelivery(integrationId, id),
    prisma: (client, { integrationId, id }) =>
      client.delivery.findUnique({ where: { integrationId_id: { integrationId, id } }, select: deliveryColumns }),
    mongo: ({ deliveries }, { integrationId, id }) => deliveries.findOne({ _id: id, integrationId }, withoutContent),
  }),
  defineOperation({
    name: 'listDeliveries',
    writes: false,
    prepare: scene => scene.addQueues(scene.lot, scene.lot, 'run/1'),
    port: (store, id) => store.listDeliveries(id, {}, { limit: 100, after: null }),
    prisma: (client, integrationId) =>
      client.delivery.findMany({
        where: { integrationId },
        orderBy: { id: 'asc' },
        take: 101,
        select: deliveryColumns,
      }),
    mongo: ({ deliveries }, integrationId) =>
      deliveries.find({ integrationId }, withoutContent).sort({ _id: 1 }).limit(101).toArray(),
  }),
];

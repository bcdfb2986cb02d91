import type { IntegrationId } from '../../domain/ids.js';
import { cleanDetail } from '../clean-detail.js';
import type { Subscription, SubscriptionStore, SubscriptionWrite } from '../port/subscription-store.js';
import type { PostgresClient } from './create-client.js';
import type { Subscription as SubscriptionRow } from './generated/client.js';
import { afterTimeCursor, timeCursor, toPage } from './page-rows.js';

function toSubscription(row: SubscriptionRow): Subscription {
  const { failureDetail: detail, failureSince: since, failureTries: tries } = row;
  return {
    integrationId: row.integrationId as IntegrationId,
    sealedSecrets: row.sealedSecrets,
    expiresAt: row.expiresAt,
    dueAt: row.dueAt,
    failure: detail === null || since === null ? null : { detail, since, tries },
    version: row.version,
  };
}

function toColumns({ sealedSecrets, expiresAt, dueAt, failure }: SubscriptionWrite) {
  return {
    sealedSecrets,
    expiresAt,
    dueAt,
    failureDetail: failure && cleanDetail(failure.detail),
    failureSince: failure?.since ?? null,
    failureTries: failure?.tries ?? 0,
  };
}

/** Subscriptions in PostgreSQL. */
export function createSubscriptionStore(client: PostgresClient): SubscriptionStore {
  const { subscription: subscriptions } = client;
  return {
    async getSubscription(integrationId) {
      const row = await subscriptions.findUnique({ where: { integrationId } });
      return row && toSubscription(row);
    },

    async compareAndSetSubscription(integrationId, version, write) {
      const data = toColumns(write);
      const rows =
        version === 0
          ? await subscriptions.createManyAndReturn({
              data: [{ integrationId, ...data, version: 1 }],
              skipDuplicates: true,
            })
          : await subscriptions.updateManyAndReturn({
              where: { integrationId, version },
              data: { ...data, version: version + 1 },
            });
      return rows[0] === undefined ? null : toSubscription(rows[0]);
    },

    async listDueSubscriptions(now, page) {
      const { from, take } = afterTimeCursor(page);
      const rows = await subscriptions.findMany({
        where: {
          dueAt: { lte: now, gte: from?.time },
          ...(from && { OR: [{ dueAt: { gt: from.time } }, { integrationId: { gt: from.id } }] }),
        },
        orderBy: [{ dueAt: 'asc' }, { integrationId: 'asc' }],
        take,
      });
      return toPage(rows.map(toSubscription), page, row => timeCursor(row.dueAt, row.integrationId));
    },

    async deleteSubscription(integrationId) {
      await subscriptions.deleteMany({ where: { integrationId } });
    },
  };
}

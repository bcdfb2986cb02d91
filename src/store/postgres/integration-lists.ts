import { z } from 'zod';
import type { Integration, IntegrationStore } from '../port/integration-store.js';
import type { Page, PageRequest } from '../port/page.js';
import type { PostgresClient } from './create-client.js';
import { toIntegration } from './map-rows.js';
import { afterCursor, afterTimeCursor, timeCursor, toPage } from './page-rows.js';

const rawIds = z.array(z.object({ id: z.string() }));

type Lists = Pick<
  IntegrationStore,
  | 'listIntegrations'
  | 'findIntegrationsByEntityId'
  | 'findIntegrationsByCredentialId'
  | 'findIntegrationsByCauseCredentialId'
  | 'listUnresumedIntegrations'
  | 'listStaleIntegrations'
>;

/** The integrations of somebody or something, page by page. */
export function createIntegrationLists(client: PostgresClient): Lists {
  const { integration: integrations, integrationEntity: links } = client;

  /**
   * Lists find ids first, in the link table's index, and load the rows by key then: a row deleted in between is left
   * out, and the cursor stays the id that was found.
   */
  async function loadPage(ids: readonly string[], page: PageRequest): Promise<Page<Integration>> {
    const { rows, next } = toPage(ids, page, id => id);
    const found = await integrations.findMany({ where: { id: { in: [...rows] } }, orderBy: { id: 'asc' } });
    return { rows: found.map(toIntegration), next };
  }

  return {
    async listIntegrations(userId, { status, entityId }, page) {
      const { position, take } = afterCursor(page);
      if (entityId === undefined) {
        const rows = await integrations.findMany({
          where: { userId, status, id: position },
          orderBy: { id: 'asc' },
          take,
        });
        return toPage(rows.map(toIntegration), page, integration => integration.id);
      }
      const found = await links.findMany({
        where: { entityId, integrationId: position, integration: { userId, status } },
        orderBy: { integrationId: 'asc' },
        take,
      });
      return loadPage(
        found.map(link => link.integrationId),
        page,
      );
    },

    async findIntegrationsByEntityId(entityId, page) {
      const { position, take } = afterCursor(page);
      const found = await links.findMany({
        where: { entityId, integrationId: position },
        orderBy: { integrationId: 'asc' },
        take,
      });
      return loadPage(
        found.map(link => link.integrationId),
        page,
      );
    },

    async findIntegrationsByCredentialId(credentialId, page) {
      const { position, take } = afterCursor(page);
      // Grouped, since several entities of one integration may point to the credential.
      const found = await links.groupBy({
        by: ['integrationId'],
        where: { integrationId: position, entity: { credentialId } },
        orderBy: { integrationId: 'asc' },
        take,
      });
      return loadPage(
        found.map(link => link.integrationId),
        page,
      );
    },

    async findIntegrationsByCauseCredentialId(credentialId, page) {
      const { position, take } = afterCursor(page);
      // Raw and materialised, so that the rows come out of the index on causes: given the order and a small limit, a
      // planner that misjudges how many there are would walk the table by id.
      const found = await client.$queryRaw`
        WITH dead AS MATERIALIZED (
          SELECT "id" FROM "integrations" WHERE "causes" @> ${JSON.stringify([{ credentialId }])}::jsonb
        )
        SELECT "id" FROM dead WHERE "id" > ${position?.gt ?? ''} ORDER BY "id" LIMIT ${take}`;
      return loadPage(
        rawIds.parse(found).map(row => row.id),
        page,
      );
    },

    async listUnresumedIntegrations(before, page) {
      const { from, take } = afterTimeCursor(page);
      const rows = await integrations.findMany({
        where: {
          resumeSince: { not: null },
          updatedAt: { lt: before, gte: from?.time },
          ...(from && { OR: [{ updatedAt: { gt: from.time } }, { id: { gt: from.id } }] }),
        },
        orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
        take,
      });
      return toPage(rows.map(toIntegration), page, row => timeCursor(row.updatedAt, row.id));
    },

    async listStaleIntegrations(lifecycle, before, limit) {
      const rows = await integrations.findMany({
        where: { lifecycle, updatedAt: { lt: before } },
        orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
        take: limit,
      });
      return rows.map(toIntegration);
    },
  };
}

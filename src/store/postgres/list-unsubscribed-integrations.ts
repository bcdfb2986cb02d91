import { z } from 'zod';
import type { IntegrationGateRow } from '../port/delivery-rows.js';
import type { Page, PageRequest } from '../port/page.js';
import type { DirectQuery } from './create-pool.js';
import { toPage } from './page-rows.js';
import { gateRow, toGateRow } from './read-integration-gates.js';

const rows = z.array(gateRow.extend({ is_subscribed: z.boolean() }));

/** A piece of the primary key, and one look by key into the subscriptions for each of it. */
export async function listUnsubscribedIntegrations(
  direct: DirectQuery,
  page: PageRequest,
): Promise<Page<IntegrationGateRow>> {
  const found = rows.parse(
    await direct(
      `SELECT i.*, EXISTS (SELECT 1 FROM "subscriptions" WHERE "integration_id" = i."id") AS "is_subscribed"
         FROM (SELECT "id", "type", "status", "status_since", jsonb_array_length("causes") AS "open_causes", "version"
                 FROM "integrations" WHERE "id" > $1 ORDER BY "id" LIMIT $2) AS i
        ORDER BY i."id"`,
      [page.after ?? '', page.limit + 1],
    ),
  );
  const { rows: looked, next } = toPage(found, page, row => row.id);
  return { rows: looked.filter(row => !row.is_subscribed).map(toGateRow), next };
}

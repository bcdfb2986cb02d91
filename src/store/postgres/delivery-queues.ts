import { z } from 'zod';
import type { IntegrationId } from '../../domain/ids.js';
import type { QueueRow } from '../port/delivery-rows.js';
import type { DeliveryStore } from '../port/delivery-store.js';
import type { DirectQuery } from './create-pool.js';
import { toPage } from './page-rows.js';

const queueRows = z.array(
  z.object({ integration_id: z.string(), pending: z.number(), oldest: z.date(), newest: z.date() }),
);
const dues = z.array(z.object({ next_attempt_at: z.date().nullable() }));
const idRows = z.array(z.object({ id: z.string() }));

type Queues = Pick<
  DeliveryStore,
  'hasPendingDeliveries' | 'findDueIntegrations' | 'findNextDue' | 'readQueue' | 'listQueues'
>;

/**
 * Looks at what is pending, by its own small index: each of these asks for the order of arrival, also where it needs
 * none, because no other index has it. Past Prisma, since the intake and every idle consumer wait for these.
 */
export function createDeliveryQueues(direct: DirectQuery): Queues {
  const toQueue = (row: z.output<typeof queueRows>[number]): QueueRow => ({
    integrationId: row.integration_id as IntegrationId,
    pending: row.pending,
    oldestReceivedAt: row.oldest,
    newestReceivedAt: row.newest,
  });

  return {
    async hasPendingDeliveries(integrationId) {
      const rows = idRows.parse(
        await direct(
          `
          SELECT "id" FROM "deliveries"
           WHERE "integration_id" = $1 AND "finished_at" IS NULL
           ORDER BY "sequence" LIMIT 1`,
          [integrationId],
        ),
      );
      return rows.length > 0;
    },

    async findDueIntegrations(ids, now, byArrival = []) {
      // One look into the index for each: the first that is due, or by arrival whether the first one is.
      const rows = idRows.parse(
        await direct(
          `
          SELECT asked."id" FROM unnest(string_to_array($1, ',')) AS asked("id"), LATERAL (
            SELECT "state" = 'queued' AND ("next_attempt_at" IS NULL OR "next_attempt_at" <= $2) AS "due"
              FROM "deliveries"
             WHERE "integration_id" = asked."id" AND "finished_at" IS NULL
               AND (asked."id" = ANY(string_to_array($3, ','))
                    OR ("state" = 'queued' AND ("next_attempt_at" IS NULL OR "next_attempt_at" <= $2)))
             ORDER BY "sequence" LIMIT 1) AS head
           WHERE head."due"`,
          [ids.join(','), now, byArrival.join(',')],
        ),
      );
      return rows.map(row => row.id as IntegrationId);
    },

    async findNextDue(integrationId, order) {
      const rows = dues.parse(
        order === 'arrival'
          ? await direct(
              `
              SELECT "next_attempt_at" FROM "deliveries"
               WHERE "integration_id" = $1 AND "finished_at" IS NULL AND "state" = 'queued'
               ORDER BY "sequence" LIMIT 1`,
              [integrationId],
            )
          : await direct(
              `
              SELECT "next_attempt_at" FROM (
                SELECT "next_attempt_at" FROM "deliveries"
                 WHERE "integration_id" = $1 AND "finished_at" IS NULL AND "state" = 'queued'
                 ORDER BY "sequence" OFFSET 0) AS queued
               ORDER BY "next_attempt_at" ASC NULLS FIRST LIMIT 1`,
              [integrationId],
            ),
      );
      return rows[0] === undefined ? null : { at: rows[0].next_attempt_at };
    },

    async readQueue(integrationId, countLimit) {
      const rows = queueRows.parse(
        await direct(
          `
          SELECT $1::text AS "integration_id", count(*)::int AS "pending",
                 (array_agg("received_at" ORDER BY "sequence"))[1] AS "oldest",
                 (SELECT "received_at" FROM "deliveries"
                   WHERE "integration_id" = $1 AND "finished_at" IS NULL
                   ORDER BY "sequence" DESC LIMIT 1) AS "newest"
            FROM (SELECT "received_at", "sequence" FROM "deliveries"
                   WHERE "integration_id" = $1 AND "finished_at" IS NULL
                   ORDER BY "sequence" LIMIT $2) AS pending
          HAVING count(*) > 0`,
          [integrationId, countLimit],
        ),
      );
      return rows[0] === undefined ? null : toQueue(rows[0]);
    },

    async listQueues(page, countLimit) {
      // Hops from integration to integration in the index, so that the cost follows their number and not that of
      // their deliveries.
      const rows = queueRows.parse(
        await direct(
          `
          WITH RECURSIVE hop AS (
            (SELECT "integration_id", 1 AS "place" FROM "deliveries"
              WHERE "finished_at" IS NULL AND "integration_id" > $1
              ORDER BY "integration_id", "sequence" LIMIT 1)
            UNION ALL
            SELECT next."integration_id", hop."place" + 1 FROM hop CROSS JOIN LATERAL (
              SELECT "integration_id" FROM "deliveries"
               WHERE "finished_at" IS NULL AND "integration_id" > hop."integration_id"
               ORDER BY "integration_id", "sequence" LIMIT 1) AS next
             WHERE hop."place" <= $2
          )
          SELECT hop."integration_id", queue."pending", queue."oldest", last."received_at" AS "newest"
            FROM hop CROSS JOIN LATERAL (
              SELECT count(*)::int AS "pending", (array_agg("received_at" ORDER BY "sequence"))[1] AS "oldest" FROM (
                SELECT "received_at", "sequence" FROM "deliveries"
                 WHERE "integration_id" = hop."integration_id" AND "finished_at" IS NULL
                 ORDER BY "sequence" LIMIT $3) AS pending) AS queue
            CROSS JOIN LATERAL (
              SELECT "received_at" FROM "deliveries"
               WHERE "integration_id" = hop."integration_id" AND "finished_at" IS NULL
               ORDER BY "sequence" DESC LIMIT 1) AS last
           ORDER BY hop."integration_id"`,
          [page.after ?? '', page.limit, countLimit],
        ),
      );
      return toPage(rows.map(toQueue), page, row => row.integrationId);
    },
  };
}

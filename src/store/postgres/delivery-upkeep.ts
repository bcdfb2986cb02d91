import type { DeliveryStore } from '../port/delivery-store.js';
import type { PostgresClient } from './create-client.js';

type Upkeep = Pick<
  DeliveryStore,
  'discardDeliveries' | 'expireDeliveries' | 'replayDeliveries' | 'deleteFinishedDeliveries' | 'deleteStaleConsumers'
>;

/**
 * Takes deliveries out of the queue and puts them back, many at once. Each call locks the rows it found, in the order
 * of arrival, before it writes them; what another one has in hand at that moment is waited for by a discard, which must
 * not leave any behind, and left to the next round by the others.
 */
export function createDeliveryUpkeep(client: PostgresClient): Upkeep {
  return {
    async discardDeliveries(integrationId, which, reason, now) {
      if ('ids' in which) {
        return client.$executeRaw`
          WITH found AS (
            SELECT "id" FROM "deliveries"
             WHERE "integration_id" = ${integrationId} AND "id" = ANY(string_to_array(${which.ids.join(',')}, ','))
               AND "state" = 'queued'
             ORDER BY "sequence" FOR NO KEY UPDATE
          )
          UPDATE "deliveries"
             SET "state" = 'discarded', "reason" = ${reason}, "detail" = NULL, "next_attempt_at" = NULL, "finished_at" = ${now}
           WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM found))`;
      }
      return client.$executeRaw`
        WITH found AS (
          SELECT "id" FROM "deliveries"
           WHERE "integration_id" = ${integrationId} AND "finished_at" IS NULL AND "state" = 'queued'
           ORDER BY "sequence" LIMIT ${which.limit} FOR NO KEY UPDATE
        )
        UPDATE "deliveries"
           SET "state" = 'discarded', "reason" = ${reason}, "detail" = NULL, "next_attempt_at" = NULL, "finished_at" = ${now}
         WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM found))`;
    },

    async expireDeliveries(integrationId, { before, keep, limit }, now) {
      const tooLong = await client.$executeRaw`
        WITH found AS (
          SELECT "id" FROM "deliveries"
           WHERE "integration_id" = ${integrationId} AND "finished_at" IS NULL AND "state" = 'queued'
             AND "received_at" < ${before}
           ORDER BY "sequence" LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE "deliveries"
           SET "state" = 'expired', "reason" = 'held_too_long', "detail" = NULL, "next_attempt_at" = NULL, "finished_at" = ${now}
         WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM found))`;
      // Counted from the newest down, so that the cost follows what is kept and not what came.
      const tooMany = await client.$executeRaw`
        WITH found AS (
          SELECT "id" FROM "deliveries"
           WHERE "integration_id" = ${integrationId} AND "finished_at" IS NULL AND "state" = 'queued'
             AND "sequence" <= (
               SELECT "sequence" FROM "deliveries"
                WHERE "integration_id" = ${integrationId} AND "finished_at" IS NULL AND "state" = 'queued'
                ORDER BY "sequence" DESC OFFSET ${keep} LIMIT 1)
           ORDER BY "sequence" LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE "deliveries"
           SET "state" = 'expired', "reason" = 'held_too_many', "detail" = NULL, "next_attempt_at" = NULL, "finished_at" = ${now}
         WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM found))`;
      return { tooLong, tooMany };
    },

    async replayDeliveries(integrationId, which) {
      const [id, state, limit] = 'id' in which ? [which.id, null, 1] : [null, which.state, which.limit];
      // Reason and time say again what the state says: they are what the index holds.
      return client.$executeRaw`
        WITH found AS (
          SELECT "id" FROM "deliveries"
           WHERE "integration_id" = ${integrationId} AND "finished_at" IS NOT NULL AND "reason" IS NOT NULL
             AND "state" = ANY(string_to_array(${state ?? 'failed,discarded,expired'}, ','))
             AND "id" BETWEEN ${id ?? ''} AND ${id ?? '~'}
           ORDER BY "id" LIMIT ${limit} FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE "deliveries"
           SET "state" = 'queued', "attempts" = 0, "crashes" = 0, "suspect" = false, "next_attempt_at" = NULL,
               "reason" = NULL, "detail" = NULL, "finished_at" = NULL
         WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM found))`;
    },

    async deleteFinishedDeliveries(before, limit) {
      // A locked row stays where it is, so its place may stand for it.
      return client.$executeRaw`
        DELETE FROM "deliveries" WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM "deliveries"
           WHERE "finished_at" < ${before} ORDER BY "finished_at" LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
    },

    async deleteStaleConsumers(before, limit) {
      return client.$executeRaw`
        DELETE FROM "delivery_consumers" WHERE "integration_id" = ANY(ARRAY(
          SELECT "integration_id" FROM "delivery_consumers"
           WHERE "since" < ${before} ORDER BY "since" LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
    },
  };
}

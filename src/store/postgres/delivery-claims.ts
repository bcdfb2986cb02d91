import { z } from 'zod';
import type { DeliveryId, IntegrationId } from '../../domain/ids.js';
import { unrunReasons } from '../../domain/delivery.js';
import { cleanDetail } from '../clean-detail.js';
import { largestLotBytes } from '../lot-size.js';
import type { DeliveryOutcome } from '../port/delivery-rows.js';
import type { DeliveryStore } from '../port/delivery-store.js';
import type { PostgresClient } from './create-client.js';
import type { DirectQuery } from './create-pool.js';
import { claimedRows, toClaimed } from './delivery-rows.js';

const idRows = z.array(z.object({ id: z.string() }));

type Claims = Pick<
  DeliveryStore,
  'becomeConsumer' | 'noteLooking' | 'findLookedAfter' | 'claimDeliveries' | 'noteCrash' | 'finishDeliveries'
>;

/**
 * The consumer's calls. The consumer's row is the lock: becoming one writes it, every claim and every end shares it, so
 * whichever commits first decides, and a consumer that was replaced finds its name gone.
 *
 * Rows are locked in the order of arrival by everyone who takes several, so that nobody waits in a circle.
 *
 * What comes once for every lot goes past Prisma: on the way through it a lot's content is copied several times.
 */
export function createDeliveryClaims(client: PostgresClient, direct: DirectQuery): Claims {
  return {
    async becomeConsumer(integrationId, claim, since) {
      // Two statements: the second one's view begins after the first got the lock, so it sees what the last claim of
      // the consumer before took.
      const [taken] = await client.$transaction([
        client.$executeRaw`
          INSERT INTO "delivery_consumers" AS known ("integration_id", "claim", "since", "is_looking")
          VALUES (${integrationId}, ${claim}, ${since}, true)
          ON CONFLICT ("integration_id")
          DO UPDATE SET "claim" = excluded."claim", "since" = excluded."since", "is_looking" = true
           WHERE known."since" <= excluded."since"`,
        // Not what this very claim holds: a repeat of this call is no death.
        client.$executeRaw`
          WITH abandoned AS (
            SELECT "id" FROM "deliveries"
             WHERE "integration_id" = ${integrationId} AND "finished_at" IS NULL AND "claim" <> ${claim}
               AND EXISTS (SELECT 1 FROM "delivery_consumers"
                            WHERE "integration_id" = ${integrationId} AND "claim" = ${claim})
             ORDER BY "sequence" FOR NO KEY UPDATE
          )
          UPDATE "deliveries" SET "state" = 'queued', "claim" = NULL, "suspect" = true
           WHERE "integration_id" = ${integrationId} AND "id" = ANY(ARRAY(SELECT "id" FROM abandoned))`,
      ]);
      return taken > 0;
    },

    async noteLooking(integrationId, claim, isLooking) {
      const where = { integrationId, ...(claim !== null && { claim }) };
      await client.deliveryConsumer.updateMany({ where, data: { isLooking } });
    },

    async findLookedAfter(ids, since) {
      const rows = await direct(
        `
        SELECT "integration_id" AS "id" FROM "delivery_consumers"
         WHERE "integration_id" = ANY(string_to_array($1, ',')) AND "is_looking" AND "since" > $2`,
        [ids.join(','), since],
      );
      return idRows.parse(rows).map(({ id }) => id as IntegrationId);
    },

    async claimDeliveries({ integrationId, claim, order, limit, now }) {
      const rows = claimedRows.parse(
        order === 'arrival'
          ? // By arrival the lot is the unbroken run from the head up to the first that may not run now. It waits for
            // rows that others hold: what comes after them must not overtake.
            await direct(
              `
              WITH consumer AS (
                SELECT 1 FROM "delivery_consumers"
                 WHERE "integration_id" = $1 AND "claim" = $2 FOR SHARE
              ), head AS (
                SELECT "id", "sequence", "suspect", octet_length("sealed_content") AS "size",
                       "state" = 'queued' AND ("next_attempt_at" IS NULL OR "next_attempt_at" <= $3) AS "due"
                  FROM "deliveries"
                 WHERE "integration_id" = $1 AND "finished_at" IS NULL AND EXISTS (SELECT 1 FROM consumer)
                 ORDER BY "sequence" LIMIT $4 FOR NO KEY UPDATE
              ), lot AS (
                SELECT "id" FROM (
                  SELECT "id", bool_and("due") OVER before AS "runs", row_number() OVER before AS "place",
                         bool_or("suspect") OVER before AS "after_suspect", sum("size") OVER before AS "size"
                    FROM head WINDOW before AS (ORDER BY "sequence")
                ) AS marked WHERE "runs" AND ("place" = 1 OR NOT "after_suspect" AND "size" <= $5)
              ), claimed AS (
                UPDATE "deliveries" SET "state" = 'claimed', "claim" = $2
                 WHERE "integration_id" = $1 AND "id" = ANY(ARRAY(SELECT "id" FROM lot))
                RETURNING "id", "sequence", "external_id", "provider", "sealed_content", "received_at", "attempts",
                          "crashes", "suspect"
              )
              SELECT claimed.* FROM consumer LEFT JOIN claimed ON true ORDER BY claimed."sequence"`,
              [integrationId, claim, now, limit, largestLotBytes],
            )
          : // Without an order whatever may run now, past what others hold.
            await direct(
              `
              WITH consumer AS (
                SELECT 1 FROM "delivery_consumers"
                 WHERE "integration_id" = $1 AND "claim" = $2 FOR SHARE
              ), head AS (
                SELECT "id", "sequence", "suspect", octet_length("sealed_content") AS "size"
                  FROM "deliveries"
                 WHERE "integration_id" = $1 AND "finished_at" IS NULL AND EXISTS (SELECT 1 FROM consumer)
                   AND "state" = 'queued' AND ("next_attempt_at" IS NULL OR "next_attempt_at" <= $3)
                 ORDER BY "sequence" LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
              ), lot AS (
                SELECT "id" FROM (
                  SELECT "id", row_number() OVER before AS "place", bool_or("suspect") OVER before AS "after_suspect",
                         sum("size") OVER before AS "size"
                    FROM head WINDOW before AS (ORDER BY "sequence")
                ) AS marked WHERE "place" = 1 OR NOT "after_suspect" AND "size" <= $5
              ), claimed AS (
                UPDATE "deliveries" SET "state" = 'claimed', "claim" = $2
                 WHERE "integration_id" = $1 AND "id" = ANY(ARRAY(SELECT "id" FROM lot))
                RETURNING "id", "sequence", "external_id", "provider", "sealed_content", "received_at", "attempts",
                          "crashes", "suspect"
              )
              SELECT claimed.* FROM consumer LEFT JOIN claimed ON true ORDER BY claimed."sequence"`,
              [integrationId, claim, now, limit, largestLotBytes],
            ),
      );
      // A single row of nulls: the consumer holds, and nothing is due.
      return rows.length === 0 ? null : rows.map(toClaimed).filter(row => row !== null);
    },

    async noteCrash(integrationId, id, claim) {
      const { count } = await client.delivery.updateMany({
        where: { id, integrationId, claim },
        data: { crashes: { increment: 1 } },
      });
      return count > 0;
    },

    async finishDeliveries(integrationId, claim, outcomes, now) {
      if (outcomes.length === 0) return [];
      const named = outcomes.map(outcome => outcome.id).join(',');
      const found = idRows.parse(
        await direct(
          `
          WITH consumer AS (
            SELECT 1 FROM "delivery_consumers"
             WHERE "integration_id" = $1 AND "claim" = $2 FOR SHARE
          )
          UPDATE "deliveries" AS d
             SET "state" = ended."state",
                 "claim" = NULL,
                 "attempts" = d."attempts" + CASE WHEN ended."kind" NOT IN ('released', 'crashed') AND ended."ran" THEN 1 ELSE 0 END,
                 -- Before a suspect runs its crash is noted: one that came to an end did not crash this time.
                 "crashes" = CASE WHEN d."suspect" AND ended."ran" THEN greatest(d."crashes" - 1, 0) ELSE d."crashes" END,
                 "suspect" = ended."kind" = 'crashed' OR d."suspect" AND ended."kind" = 'released',
                 "next_attempt_at" = ended."next_attempt_at",
                 "reason" = CASE WHEN ended."kind" = 'released' THEN coalesce(ended."reason", d."reason") ELSE ended."reason" END,
                 "detail" = CASE WHEN ended."kind" = 'released' AND ended."reason" IS NULL THEN d."detail" ELSE ended."detail" END,
                 "finished_at" = CASE WHEN ended."state" = 'queued' THEN NULL ELSE $3::timestamptz END
            FROM jsonb_to_recordset($4::jsonb)
              AS ended("id" text, "kind" text, "state" text, "ran" boolean, "reason" text, "detail" text, "next_attempt_at" timestamptz)
           WHERE d."integration_id" = $1 AND d."id" = ANY(string_to_array($5, ','))
             AND d."id" = ended."id" AND d."claim" = $2 AND EXISTS (SELECT 1 FROM consumer)
          RETURNING d."id"`,
          [integrationId, claim, now, JSON.stringify(outcomes.map(toEnd)), named],
        ),
      );
      if (found.length === outcomes.length) return [];
      const held = new Set(found.map(row => row.id));
      return outcomes.filter(({ id }) => !held.has(id)).map(({ id }): DeliveryId => id);
    },
  };
}

function toEnd(outcome: DeliveryOutcome) {
  const { id, kind } = outcome;
  if (kind === 'succeeded') return { id, kind, ran: true, state: 'succeeded' };
  if (kind === 'released') return { id, kind, ran: outcome.ran, state: 'queued', reason: outcome.reason };
  if (kind === 'crashed') return { id, kind, ran: false, state: 'queued', reason: 'handler_crashed' };
  const { reason, nextAttemptAt } = outcome;
  const state = kind === 'retry' ? 'queued' : 'failed';
  const ran = !unrunReasons.has(reason);
  const detail = outcome.detail === null ? undefined : cleanDetail(outcome.detail);
  return { id, kind, ran, state, reason, detail, next_attempt_at: nextAttemptAt?.toISOString() };
}

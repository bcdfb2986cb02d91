import { z } from 'zod';
import type { DeliveryId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { InsertedDelivery, NewDelivery } from '../port/delivery-rows.js';
import type { DirectQuery } from './create-pool.js';

const inserted = z.array(z.object({ id: z.string(), integration_id: z.string(), external_id: z.string() }));

/** ASCII unit separator: part of no id and of no base64url text. */
const separator = '\u001f';

const insertion = `
  INSERT INTO "deliveries" ("sequence", "id", "integration_id", "provider", "external_id", "sealed_content", "received_at")
  SELECT * FROM (
    SELECT nextval('deliveries_sequence_seq'), incoming.* FROM (
      SELECT unnest(string_to_array($1, chr(31))),
             unnest(string_to_array($2, chr(31))) AS "integration_id",
             unnest(string_to_array($3, chr(31))),
             unnest(string_to_array($4, chr(31))) AS "external_id",
             unnest(string_to_array($5, chr(31))),
             unnest(string_to_array($6, chr(31)))::timestamptz
    ) AS incoming
  ) AS numbered ORDER BY "integration_id" COLLATE "C", "external_id" COLLATE "C"
  ON CONFLICT ("integration_id", "external_id") DO UPDATE
     SET "sealed_content" = excluded."sealed_content", "received_at" = excluded."received_at",
         "sequence" = excluded."sequence", "state" = 'queued', "attempts" = 0, "crashes" = 0, "suspect" = false,
         "next_attempt_at" = NULL, "reason" = NULL, "detail" = NULL, "finished_at" = NULL
   WHERE "deliveries"."state" IN ('failed', 'discarded', 'expired')
  RETURNING "id", "integration_id", "external_id"`;

/**
 * One statement for any number of rows. Its parameters are single texts that the database splits: arrays would be
 * walked and quoted element by element twice on their way, which costs more than everything else here.
 *
 * Numbers are drawn in the order given; the rows are written in the order of their keys, so that two of these
 * statements with keys in common wait for each other in one order and never in a circle.
 */
export async function insertDeliveries(
  direct: DirectQuery,
  deliveries: readonly NewDelivery[],
): Promise<readonly InsertedDelivery[]> {
  if (deliveries.length === 0) return [];
  // The first of a key wins: ON CONFLICT cannot touch one row twice in a statement.
  const byKey = new Map<string, NewDelivery>();
  for (const delivery of deliveries) {
    if (delivery.externalId.includes(separator)) {
      throw new RelinkError('invalid_request', 'a delivery id holds a control character');
    }
    const key = keyOf(delivery.integrationId, delivery.externalId);
    if (!byKey.has(key)) byKey.set(key, delivery);
  }
  const rows = [...byKey.values()];
  const join = (read: (row: NewDelivery) => string) => rows.map(read).join(separator);
  const result = inserted.parse(
    await direct(insertion, [
      join(row => row.id),
      join(row => row.integrationId),
      join(row => row.provider),
      join(row => row.externalId),
      join(row => row.sealedContent),
      join(row => row.receivedAt.toISOString()),
    ]),
  );
  const storedIds = new Map(result.map(row => [keyOf(row.integration_id, row.external_id), row.id]));
  return deliveries.map((delivery): InsertedDelivery => {
    const key = keyOf(delivery.integrationId, delivery.externalId);
    const id = storedIds.get(key);
    if (id === undefined || byKey.get(key) !== delivery) return { outcome: 'duplicate', id: null };
    return id === delivery.id
      ? { outcome: 'stored', id: delivery.id }
      : { outcome: 'queued_again', id: id as DeliveryId };
  });
}

function keyOf(integrationId: string, externalId: string): string {
  return `${integrationId}${separator}${externalId}`;
}

import { z } from 'zod';
import type { IntegrationId } from '../../domain/ids.js';
import type { ConsumerGate } from '../port/delivery-rows.js';
import type { DirectQuery } from './create-pool.js';
import { gateRow, toGateRow } from './read-integration-gates.js';

const answers = z.tuple([
  z.union([gateRow.extend({ is_consumer: z.boolean() }), z.object({ id: z.null(), is_consumer: z.boolean() })]),
]);

/** Both in one statement, which answers with a row also where the integration is gone. */
export async function readConsumerGate(
  direct: DirectQuery,
  integrationId: IntegrationId,
  claim: string,
): Promise<ConsumerGate> {
  const [answer] = answers.parse(
    await direct(
      `SELECT i."id", i."type", i."status", i."status_since", jsonb_array_length(i."causes") AS "open_causes", i."version",
              EXISTS (SELECT 1 FROM "delivery_consumers"
                       WHERE "integration_id" = $1 AND "claim" = $2) AS "is_consumer"
         FROM (VALUES ($1)) AS asked("id") LEFT JOIN "integrations" AS i ON i."id" = asked."id"`,
      [integrationId, claim],
    ),
  );
  return { row: answer.id === null ? null : toGateRow(answer), isConsumer: answer.is_consumer };
}

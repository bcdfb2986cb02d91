import { z } from 'zod';
import type { IntegrationId, IntegrationType } from '../../domain/ids.js';
import { integrationStatuses } from '../../domain/status.js';
import type { IntegrationGateRow } from '../port/delivery-rows.js';
import type { DirectQuery } from './create-pool.js';

export const gateRow = z.object({
  id: z.string(),
  type: z.string(),
  status: z.enum(integrationStatuses),
  status_since: z.date(),
  open_causes: z.number(),
  version: z.number(),
});
const gateRows = z.array(gateRow);

export function toGateRow(row: z.output<typeof gateRow>): IntegrationGateRow {
  return {
    id: row.id as IntegrationId,
    type: row.type as IntegrationType,
    status: row.status,
    statusSince: row.status_since,
    openCauses: row.open_causes,
    version: row.version,
  };
}

/** Counts the causes in the database: their texts need not travel for a yes or no. */
export async function readIntegrationGates(
  direct: DirectQuery,
  ids: readonly IntegrationId[],
): Promise<readonly IntegrationGateRow[]> {
  const rows = gateRows.parse(
    await direct(
      `SELECT "id", "type", "status", "status_since", jsonb_array_length("causes") AS "open_causes", "version"
         FROM "integrations" WHERE "id" = ANY(string_to_array($1, ','))`,
      [ids.join(',')],
    ),
  );
  return rows.map(toGateRow);
}

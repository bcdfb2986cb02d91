import { z } from 'zod';
import type { IntegrationId, IntegrationType, ProviderId } from '../../domain/ids.js';
import { integrationStatuses } from '../../domain/status.js';
import type { IntakeTargetRow } from '../port/delivery-rows.js';
import type { DirectQuery } from './create-pool.js';

const targets = z.array(
  z.object({
    id: z.string(),
    type: z.string(),
    status: z.enum(integrationStatuses),
    open_causes: z.number(),
    providers: z.array(z.string()),
    sealed_secrets: z.string().nullable(),
  }),
);

/**
 * Everything about many integrations in one statement: what it would take one by one, a statement for each of its parts,
 * is the most that a webhook for an integration not heard of for a second can cost. Subqueries and not joins, so that
 * each part is looked up by its key whatever the planner thinks of how many there are.
 */
export async function readIntakeTargets(
  direct: DirectQuery,
  ids: readonly IntegrationId[],
): Promise<readonly IntakeTargetRow[]> {
  const rows = targets.parse(
    await direct(
      `SELECT "id", "type", "status", jsonb_array_length("causes") AS "open_causes",
              ARRAY(SELECT (SELECT "provider" FROM "entities" WHERE "entities"."id" = link."entity_id")
                      FROM "integration_entities" AS link WHERE link."integration_id" = "integrations"."id"
                     ORDER BY link."entity_id") AS "providers",
              (SELECT "sealed_secrets" FROM "subscriptions" WHERE "integration_id" = "integrations"."id")
         FROM "integrations" WHERE "id" = ANY(string_to_array($1, ','))`,
      [ids.join(',')],
    ),
  );
  return rows.map(row => ({
    id: row.id as IntegrationId,
    type: row.type as IntegrationType,
    status: row.status,
    openCauses: row.open_causes,
    providers: row.providers.map(provider => provider as ProviderId),
    sealedSecrets: row.sealed_secrets,
  }));
}

import { z } from 'zod';
import type { ExternalId, IntegrationId, ProviderId } from '../../domain/ids.js';
import type { AccountIntegrations, AccountKey } from '../port/integration-store.js';
import type { DirectQuery } from './create-pool.js';

const found = z.array(z.object({ provider: z.string(), external_id: z.string(), ids: z.array(z.string()) }));

/** ASCII unit separator. */
const separator = '\u001f';
/** Whether an account's id can be asked for: NUL is no text to PostgreSQL, and a list of one empty text none to split. */
const isAskable = ({ externalId }: AccountKey) => /^[^\0\u001f]+$/.test(externalId);

/** One statement for many accounts: webhooks to a provider's one address ask for theirs each time. */
export async function findIntegrationsOnAccounts(
  direct: DirectQuery,
  accounts: readonly AccountKey[],
  exceptTypes: readonly string[],
  limitEach: number,
): Promise<readonly AccountIntegrations[]> {
  const asked = accounts.filter(isAskable);
  const rows = found.parse(
    await direct(
      `SELECT asked."provider", asked."external_id", ARRAY(
         SELECT DISTINCT link."integration_id"
           FROM "entities" JOIN "integration_entities" AS link ON link."entity_id" = "entities"."id"
          WHERE "entities"."provider" = asked."provider" AND "entities"."external_id" = asked."external_id"
            AND (SELECT "type" FROM "integrations" WHERE "integrations"."id" = link."integration_id")
                <> ALL(string_to_array($3, ','))
          ORDER BY link."integration_id" LIMIT $4::int) AS "ids"
         FROM unnest(string_to_array($1, chr(31)), string_to_array($2, chr(31))) AS asked("provider", "external_id")`,
      [
        asked.map(({ provider }) => provider).join(separator),
        asked.map(({ externalId }) => externalId).join(separator),
        exceptTypes.join(','),
        String(limitEach),
      ],
    ),
  );
  return rows.map(row => ({
    provider: row.provider as ProviderId,
    externalId: row.external_id as ExternalId,
    integrationIds: row.ids.map(id => id as IntegrationId),
  }));
}

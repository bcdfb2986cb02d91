import type { IntegrationId } from '../../domain/ids.js';
import { statusOf } from '../../domain/integration-state.js';
import { RelinkError } from '../../errors.js';
import type { Integration, IntegrationChange, IntegrationStore, NewIntegration } from '../port/integration-store.js';
import type { PostgresClient } from './create-client.js';
import type { DirectQuery } from './create-pool.js';
import { findIntegrationsOnAccounts } from './find-integrations-on-accounts.js';
import type { Integration as IntegrationRow } from './generated/client.js';
import { listUnsubscribedIntegrations } from './list-unsubscribed-integrations.js';
import { createIntegrationLists } from './integration-lists.js';
import { entityKeySeparator, toConfig } from '../stored-shapes.js';
import { collectCauses, referenceCodes } from './map-database-error.js';
import { toCredentialId, toIntegration } from './map-rows.js';

function first(rows: readonly IntegrationRow[]): Integration | null {
  return rows[0] === undefined ? null : toIntegration(rows[0]);
}

/** The columns of a state: status is computed here and nowhere else, so it travels with what it follows from. */
function stateColumns({ state }: Pick<IntegrationChange, 'state'>) {
  return {
    lifecycle: state.lifecycle,
    intent: state.intent,
    causes: state.causes.map(cause => ({ ...cause })),
    epochs: { ...state.epochs },
    status: statusOf(state),
  };
}

/** Integrations in PostgreSQL. */
export function createIntegrationStore(client: PostgresClient, direct: DirectQuery): IntegrationStore {
  const { integration: integrations } = client;

  async function insert(integration: NewIntegration, entityIds: readonly string[], entityKey: string, now: Date) {
    const { lifecycle, intent, causes, epochs, status } = stateColumns(integration);
    const config = JSON.stringify(toConfig(integration.config));
    // One statement for the row and its links, so that no reader ever sees one without the other.
    return client.$executeRaw`
      WITH inserted AS (
        INSERT INTO "integrations"
               ("id", "user_id", "type", "entity_key", "config", "lifecycle", "intent", "causes", "epochs",
                "status", "status_since", "version", "created_at", "updated_at")
        VALUES (${integration.id}, ${integration.userId}, ${integration.type}, ${entityKey}, ${config}::jsonb,
                ${lifecycle}, ${intent}, ${JSON.stringify(causes)}::jsonb, ${JSON.stringify(epochs)}::jsonb,
                ${status}, ${now}, 1, ${now}, ${now})
        ON CONFLICT ("user_id", "type", "entity_key") DO NOTHING
        RETURNING "id"
      )
      INSERT INTO "integration_entities" ("entity_id", "integration_id")
      SELECT unnest(${entityIds}::text[]), "id" FROM inserted`;
  }

  return {
    ...createIntegrationLists(client),
    listUnsubscribedIntegrations: page => listUnsubscribedIntegrations(direct, page),
    findIntegrationsOnAccounts: (accounts, exceptTypes, limitEach) =>
      findIntegrationsOnAccounts(direct, accounts, exceptTypes, limitEach),

    async insertIntegration(integration, now) {
      const entityIds = [...new Set(integration.entityIds)].sort();
      if (entityIds.length === 0) throw new RelinkError('entity_not_usable', 'an integration needs an entity');
      const entityKey = entityIds.join(entityKeySeparator);
      const { userId, type } = integration;
      // A second round only when the row that won was deleted before it could be read.
      for (let round = 0; round < 3; round += 1) {
        const inserted = await insert(integration, entityIds, entityKey, now).catch((error: unknown) => {
          const isOfEntity = collectCauses(error).codes.some(code => referenceCodes.has(code));
          throw isOfEntity ? new RelinkError('entity_not_usable', integration.id, { cause: error }) : error;
        });
        const created = inserted > 0;
        const row = await integrations.findUnique({
          where: { userId_type_entityKey: { userId, type, entityKey } },
        });
        if (row !== null) return { integration: toIntegration(row), created };
      }
      throw new RelinkError('write_conflict', integration.id);
    },

    async getIntegration(id) {
      const row = await integrations.findUnique({ where: { id } });
      return row && toIntegration(row);
    },

    async getIntegrationForUser(id, userId) {
      const row = await integrations.findUnique({ where: { id, userId } });
      return row && toIntegration(row);
    },

    async getCurrentCredentialIds(id: IntegrationId) {
      const rows = await client.entity.findMany({
        where: { integrations: { some: { integrationId: id } } },
        select: { credentialId: true },
      });
      return new Set(rows.map(row => toCredentialId(row.credentialId)));
    },

    async compareAndSetIntegration(id, version, change, now) {
      const data = {
        ...stateColumns(change),
        ...(change.config === undefined ? {} : { config: toConfig(change.config) }),
        ...(change.resumeSince === undefined ? {} : { resumeSince: change.resumeSince }),
        version: { increment: 1 },
        updatedAt: now,
      };
      // Two conditions that exclude each other at one version: at most one of the writes happens.
      const changed = await integrations.updateManyAndReturn({
        where: { id, version, status: { not: data.status } },
        data: { ...data, statusSince: now },
      });
      return (
        first(changed) ??
        first(await integrations.updateManyAndReturn({ where: { id, version, status: data.status }, data }))
      );
    },

    async deleteIntegration(id) {
      const { count } = await integrations.deleteMany({ where: { id, status: 'IN_DELETION' } });
      return count > 0;
    },
  };
}

import { z } from 'zod';
import type { IntegrationId, IntegrationType, ProviderId } from '../../domain/ids.js';
import { integrationStatuses } from '../../domain/status.js';
import type { IntakeTargetRow } from '../port/delivery-rows.js';
import type { Collections } from './connect.js';

const targets = z.array(
  z.object({
    _id: z.string().transform(id => id as IntegrationId),
    type: z.string().transform(type => type as IntegrationType),
    status: z.enum(integrationStatuses),
    causes: z.array(z.unknown()),
    entityIds: z.array(z.string()),
  }),
);
const owners = z.array(z.object({ _id: z.string(), provider: z.string().transform(id => id as ProviderId) }));
const secrets = z.array(z.object({ _id: z.string(), sealedSecrets: z.string().nullish() }));

const fields = { _id: 1, type: 1, status: 1, entityIds: 1, 'causes.credentialId': 1 } as const;

/** Two rounds for many integrations: they and their subscriptions, then the providers of their entities. */
export async function readIntakeTargets(
  { integrations, entities, subscriptions }: Collections,
  ids: readonly IntegrationId[],
): Promise<readonly IntakeTargetRow[]> {
  if (ids.length === 0) return [];
  const asked = { _id: { $in: [...ids] } };
  const [found, brought] = await Promise.all([
    integrations.find(asked, { projection: fields }).toArray(),
    subscriptions.find(asked, { projection: { sealedSecrets: 1 } }).toArray(),
  ]);
  const rows = targets.parse(found);
  const entityIds = [...new Set(rows.flatMap(row => row.entityIds))];
  const accounts = await entities.find({ _id: { $in: entityIds } }, { projection: { provider: 1 } }).toArray();
  const providerOf = new Map(owners.parse(accounts).map(({ _id, provider }) => [_id, provider]));
  const secretsOf = new Map(secrets.parse(brought).map(({ _id, sealedSecrets }) => [_id, sealedSecrets]));
  return rows.map(({ _id: id, type, status, causes, entityIds: own }) => ({
    ...{ id, type, status, openCauses: causes.length },
    providers: own.flatMap(entityId => providerOf.get(entityId) ?? []),
    sealedSecrets: secretsOf.get(id) ?? null,
  }));
}

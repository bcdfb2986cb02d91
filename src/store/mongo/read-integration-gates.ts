import type { Document } from 'mongodb';
import { z } from 'zod';
import type { IntegrationId, IntegrationType } from '../../domain/ids.js';
import { integrationStatuses } from '../../domain/status.js';
import type { IntegrationGateRow } from '../port/delivery-rows.js';
import type { Collections } from './connect.js';

const gate = z.object({
  _id: z.string().transform(id => id as IntegrationId),
  type: z.string().transform(type => type as IntegrationType),
  status: z.enum(integrationStatuses),
  statusSince: z.date(),
  causes: z.array(z.unknown()),
  version: z.number(),
});

/** Of each cause only its credential's id travels: an operator that counts them is not in every product. */
export const gateFields = { _id: 1, type: 1, status: 1, statusSince: 1, version: 1, 'causes.credentialId': 1 } as const;

export async function readIntegrationGates(
  { integrations }: Collections,
  ids: readonly IntegrationId[],
): Promise<readonly IntegrationGateRow[]> {
  if (ids.length === 0) return [];
  const found = await integrations.find({ _id: { $in: [...ids] } }, { projection: gateFields }).toArray();
  return found.map(toGate);
}

export function toGate(document: Document): IntegrationGateRow {
  const { _id: id, type, status, statusSince, causes, version } = gate.parse(document);
  return { id, type, status, statusSince, openCauses: causes.length, version };
}

import type { Gate } from '../../domain/delivery.js';
import type { IntegrationId } from '../../domain/ids.js';
import { gateOf } from '../../integrations/gate-of.js';
import type { IntegrationGateRow } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';

/** The gate as the primary knows it now. */
export async function readGate(
  { store, integrations }: Pick<ActivityDependencies, 'store' | 'integrations'>,
  id: IntegrationId,
): Promise<{ readonly gate: Gate; readonly row: IntegrationGateRow | null }> {
  const row = (await store.readIntegrationGates([id])).at(0) ?? null;
  return { gate: gateOf(integrations, row), row };
}

import { decideGate, type Gate } from '../domain/delivery.js';
import { statusOf, type IntegrationState } from '../domain/integration-state.js';
import type { IntegrationStatus } from '../domain/status.js';
import { webhookPolicyOf } from './definition.js';
import type { IntegrationCatalogue } from './load-integrations.js';

/** What of an integration's row decides its gate. */
export interface GatedRow {
  readonly type: string;
  readonly status: IntegrationStatus;
  readonly openCauses: number;
}

/**
 * What is to be done with an integration's deliveries, by its row as it was read. The one place where row and type meet:
 * intake, worker, sweep and API ask here, so that none of them can judge a row differently.
 *
 * @param row Null: the integration is gone.
 */
export function gateOf(integrations: Pick<IntegrationCatalogue, 'find'>, row: GatedRow | null): Gate {
  const { whileInError } = webhookPolicyOf(row === null ? null : integrations.find(row.type));
  return decideGate({ status: row?.status ?? null, openCauses: row?.openCauses ?? 0, whileInError });
}

/** The same for a row that was read with its state, or for a state that it is about to have. */
export function gateOfState(
  integrations: Pick<IntegrationCatalogue, 'find'>,
  { type, state }: { readonly type: string; readonly state: IntegrationState },
): Gate {
  return gateOf(integrations, { type, status: statusOf(state), openCauses: state.causes.length });
}

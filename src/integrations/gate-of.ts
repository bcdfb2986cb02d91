import { decideGate, type Gate } from '../domain/delivery.js';
import { statusOf, type IntegrationState } from '../domain/integration-state.js';
import type { IntegrationStatus } from '../domain/status.js';
import { takesWebhooks, webhookPolicyOf } from './definition.js';
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
 * A type that is no longer defined, or takes no webhooks any more, holds what it has: it may come back.
 *
 * @param row Null: the integration is gone.
 */
export function gateOf(integrations: Pick<IntegrationCatalogue, 'find'>, row: GatedRow | null): Gate {
  const definition = row === null ? null : integrations.find(row.type);
  const { whileInError } = webhookPolicyOf(definition);
  const gate = decideGate({ status: row?.status ?? null, openCauses: row?.openCauses ?? 0, whileInError });
  return gate === 'process' && !takesWebhooks(definition) ? 'hold' : gate;
}

/** The same for a row that was read with its state, or for a state that it is about to have. */
export function gateOfState(
  integrations: Pick<IntegrationCatalogue, 'find'>,
  { type, state }: { readonly type: string; readonly state: IntegrationState },
): Gate {
  return gateOf(integrations, { type, status: statusOf(state), openCauses: state.causes.length });
}

/** Whether an integration is switched on and none of its connections is broken: what its other hooks need. */
export function isAtWork({ status, openCauses }: Pick<GatedRow, 'status' | 'openCauses'>): boolean {
  return decideGate({ status, openCauses, whileInError: 'hold' }) === 'process';
}

/** The same for a row that was read with its state, or for a state that it is about to have. */
export function isStateAtWork(state: IntegrationState): boolean {
  return isAtWork({ status: statusOf(state), openCauses: state.causes.length });
}

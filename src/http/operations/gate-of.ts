import { decideGate, type Gate } from '../../domain/delivery.js';
import { webhookPolicyOf } from '../../integrations/definition.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** What is to be done with the integration's deliveries, by its row as it was read. */
export function gateOf(
  { integrations }: Pick<HttpContext, 'integrations'>,
  { type, status, state }: Integration,
): Gate {
  const { whileInError } = webhookPolicyOf(integrations.find(type));
  return decideGate({ status, openCauses: state.causes.length, whileInError });
}

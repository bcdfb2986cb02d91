import { decideGate } from '../domain/delivery.js';
import { statusOf, type IntegrationState } from '../domain/integration-state.js';
import type { IntegrationStatus } from '../domain/status.js';
import type { Transition } from './change-integration.js';
import { type IntegrationDefinition, webhookPolicyOf } from './definition.js';

interface CutOff {
  readonly state: IntegrationState;
  readonly status: IntegrationStatus;
  readonly statusSince: Date;
  readonly resumeSince: Date | null;
}

/**
 * Puts to a change that opens an integration's gate since when it was closed, for the hooks that make up for it. An
 * outage that was not made up for yet keeps its beginning. Types without such hooks need no mark.
 */
export function comeBack(definition: IntegrationDefinition | null, before: CutOff, next: IntegrationState): Transition {
  const hasHooks = definition?.ensureSubscription !== undefined || definition?.onReconnected !== undefined;
  if (next === before.state || !hasHooks || before.resumeSince !== null) return next;
  const { whileInError } = webhookPolicyOf(definition);
  const openCauses = before.state.causes.length;
  const wasOpen = decideGate({ status: before.status, openCauses, whileInError }) === 'process';
  const isOpen = decideGate({ status: statusOf(next), openCauses: next.causes.length, whileInError }) === 'process';
  if (wasOpen || !isOpen) return next;
  const since = before.state.causes.map(cause => cause.since).sort();
  return { state: next, resumeSince: since[0] === undefined ? before.statusSince : new Date(since[0]) };
}

import { setLifecycle, type IntegrationState } from '../domain/integration-state.js';
import type { IntegrationDefinition } from './definition.js';

/**
 * Moves a row between `needs_config` and `ready` by what its definition says about the config. A row that is being
 * created, processed or deleted is left alone: whoever ends that phase calls this.
 */
export function settleConfig(
  state: IntegrationState,
  definition: IntegrationDefinition | null,
  config: Readonly<Record<string, unknown>>,
): IntegrationState {
  if (state.lifecycle !== 'ready' && state.lifecycle !== 'needs_config') return state;
  return setLifecycle(state, settledLifecycle(definition, config));
}

/** A type that is no longer defined asks for nothing: its integrations are not this product's to judge. */
export function settledLifecycle(
  definition: IntegrationDefinition | null,
  config: Readonly<Record<string, unknown>>,
): 'ready' | 'needs_config' {
  return definition === null || definition.config.safeParse(config).success ? 'ready' : 'needs_config';
}

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

/** What one setting lacks: `path` as in `channels.0.name`, empty for the whole config; `message` is the schema's own. */
export interface ConfigIssue {
  readonly path: string;
  readonly message: string;
}

/** Why a config is not enough for its type; nothing while it is, or while nobody has judged it. */
export function findConfigIssues(
  { lifecycle }: IntegrationState,
  definition: IntegrationDefinition | null,
  config: Readonly<Record<string, unknown>>,
): readonly ConfigIssue[] {
  if (lifecycle !== 'needs_config') return [];
  const issues = definition?.config.safeParse(config).error?.issues ?? [];
  return issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }));
}

/** A type that is no longer defined asks for nothing: its integrations are not this product's to judge. */
export function settledLifecycle(
  definition: IntegrationDefinition | null,
  config: Readonly<Record<string, unknown>>,
): 'ready' | 'needs_config' {
  return definition === null || definition.config.safeParse(config).success ? 'ready' : 'needs_config';
}

import type { z } from 'zod';

/**
 * What one type of integration is. `providers` are the provider names whose entities it runs on; `config` says which
 * settings it needs: an integration whose config does not satisfy it is NEEDS_CONFIG.
 */
export interface IntegrationDefinition {
  readonly type: string;
  readonly name: string;
  readonly providers: readonly string[] | 'any';
  readonly config: z.ZodObject;
}

export function defineIntegration(definition: IntegrationDefinition): IntegrationDefinition {
  return definition;
}

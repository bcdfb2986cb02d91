import { z } from 'zod';
import { defineIntegration, type IntegrationDefinition } from './definition.js';

/** The types every Relink knows, for a first try and for the demo. */
export const builtInIntegrations: readonly IntegrationDefinition[] = [
  defineIntegration({
    type: 'contact-sync',
    name: 'Contact sync',
    providers: 'any',
    config: z.object({}),
  }),
  defineIntegration({
    type: 'pipeline-report',
    name: 'Pipeline report',
    providers: 'any',
    config: z.object({ pipelineId: z.string().min(1) }),
  }),
];

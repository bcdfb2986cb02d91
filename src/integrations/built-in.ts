import { z } from 'zod';
import { defineIntegration, type IntegrationDefinition } from './definition.js';

/** The types every Relink knows: two for a first try, and the one that hands deliveries on to any language. */
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
  defineIntegration({
    type: 'forward',
    name: 'Forward',
    providers: 'any',
    config: z.object({ url: z.url() }),
    webhooks: { timeoutMs: 30_000 },
    // What runs is src/handlers/forward-delivery.ts: it needs the signing secrets, which no definition is given.
    onWebhook: () => undefined,
  }),
];

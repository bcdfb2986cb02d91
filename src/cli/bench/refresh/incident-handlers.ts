import { z } from 'zod';
import { defineIntegration } from '../../../integrations/definition.js';

/** The incident's integration, written as an adopter's is: every webhook makes one call to the provider. */
export const integrations = [
  defineIntegration({
    type: 'attio-sync',
    name: 'Attio sync',
    providers: ['attio'],
    config: z.object({}),
    onWebhook: async (_delivery, context) => {
      const { status } = await context.request({ url: '/attio/v2/self' });
      if (status !== 200) throw new Error(`Attio answered ${status}`);
    },
  }),
];

import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import { defineIntegration } from '../../../integrations/definition.js';

/** How many types there are: each runs on the one connected account as an integration of its own. */
export const noopTypes = 1_000;
export const noopType = (index: number) => `noop-${index}`;

/** Handlers that do nothing, written and loaded as an adopter's are; with `file` they note what they were given. */
export const integrations = Array.from({ length: noopTypes }, (_, index) =>
  defineIntegration({
    type: noopType(index),
    name: noopType(index),
    providers: 'any',
    config: z.object({ file: z.string().optional() }),
    onWebhook: ({ id }, { config }) => {
      if (typeof config['file'] === 'string') appendFileSync(config['file'], `${id}\n`);
    },
  }),
);

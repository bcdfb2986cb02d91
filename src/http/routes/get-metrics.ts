import { z } from 'zod';
import type { App, HttpContext } from '../dependencies.js';
import { errorAnswers } from '../schemas/error.js';

/** Counters of this server process for a scraper, in Prometheus' text format. */
export function getMetrics(app: App, { metrics }: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      tags: ['Operating'],
      summary: 'Counters of this server process',
      description: 'In the text format of Prometheus. Webhooks are counted by provider and outcome.',
      security: [{ apiKey: [] as string[] }],
      response: {
        200: {
          description: 'Metrics as text.',
          content: { 'text/plain': { schema: z.string().describe('One metric a line.') } },
        },
        ...errorAnswers,
      },
    },
    handler: async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  });
}

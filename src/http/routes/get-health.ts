import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { App, HttpContext } from '../dependencies.js';
import { version } from '../version.js';

/** Load balancers ask often and give up fast. Milliseconds. */
const patienceMs = 2_000;

const reachable = z.enum(['ok', 'unreachable']);
const healthAnswer = z
  .object({
    status: z.enum(['ok', 'degraded']).describe('`ok` when both can be reached.'),
    database: reachable.describe('Whether the database answers.'),
    temporal: reachable.describe('Whether the workflow service answers.'),
    version: z.string().describe('The version of Relink.'),
  })
  .meta({ id: 'Health', description: 'What the service can reach at this moment.' });

/** 200 while the database answers: without Temporal every callback is still accepted and finished later. */
export function getHealth(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/health',
    schema: {
      operationId: 'getHealth',
      tags: ['Service'],
      summary: 'See whether the service can do its work',
      description:
        'For load balancers; needs no API key. Without Temporal callbacks are still accepted and finished later.',
      response: {
        200: healthAnswer.describe('The database answers.'),
        503: healthAnswer.describe('The database does not answer: send no requests here.'),
      },
    },
    handler: async (_request, reply) => {
      const [database, temporal] = await Promise.all([
        within(context.store.check().then(() => true)),
        within(context.workflows.check(patienceMs)),
      ]);
      return reply.code(database ? 200 : 503).send({
        status: database && temporal ? 'ok' : 'degraded',
        database: database ? 'ok' : 'unreachable',
        temporal: temporal ? 'ok' : 'unreachable',
        version,
      });
    },
  });
}

/** Any failure, and any answer that does not come in time, means: not reachable. */
async function within(check: Promise<boolean>): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([check, sleep(patienceMs, false, { signal: timer.signal })]);
  } catch {
    return false;
  } finally {
    timer.abort();
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { App, HttpContext } from '../dependencies.js';
import { version } from '../version.js';

/** Load balancers ask often and give up fast. Milliseconds. */
const patienceMs = 2_000;

const reachable = z.enum(['ok', 'unreachable']);
const healthAnswer = z
  .object({
    status: z.enum(['ok', 'degraded']),
    database: reachable,
    temporal: reachable,
    version: z.string(),
  })
  .meta({ id: 'Health' });

/** 200 while the database answers: without Temporal every callback is still accepted and finished later. */
export function getHealth(app: App, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/health',
    schema: {
      tags: ['Service'],
      summary: 'See whether the service can do its work',
      response: { 200: healthAnswer, 503: healthAnswer },
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

import type { FastifyRequest } from 'fastify';

/** `GET /api/integrations/:id`: the pattern and never the URL, which may hold codes and ids. */
export function nameRoute({ method, routeOptions }: Pick<FastifyRequest, 'method' | 'routeOptions'>): string {
  return `${method} ${routeOptions.url ?? '(no route)'}`;
}

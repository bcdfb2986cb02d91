import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RelinkError } from '../errors.js';

const nothing = z.strictObject({}).nullish();

/**
 * For routes that take no body: none, or an empty object, passes. Not a schema of the route, because the OpenAPI
 * document would then call the body required.
 *
 * @throws RelinkError `invalid_request`.
 */
export function refuseBody(request: FastifyRequest): void {
  if (nothing.safeParse(request.body).success) return;
  const issues = [{ path: 'body', message: 'must be empty' }];
  throw new RelinkError('invalid_request', undefined, { issues });
}

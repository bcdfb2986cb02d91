import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';

/**
 * True when the caller would rather have a page than JSON (RFC 9110 section 12.5.1): browsers name `text/html`, and
 * `application/json` only by their wildcard. Callers without a preference get JSON.
 */
export function prefersHtml(request: Pick<FastifyRequest, 'headers'>): boolean {
  return new Negotiator(request).mediaType(['application/json', 'text/html']) === 'text/html';
}

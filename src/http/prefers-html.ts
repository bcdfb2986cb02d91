import type { FastifyRequest } from 'fastify';

/**
 * True when the caller would rather have a page than JSON (RFC 9110 section 12.5.1): browsers name `text/html`, and
 * `application/json` only by their wildcard. Callers without a preference get JSON.
 */
export function prefersHtml(request: FastifyRequest): boolean {
  const ranges = (request.headers.accept ?? '').split(',').map(parseRange);
  return quality(ranges, 'text/html') > quality(ranges, 'application/json');
}

interface MediaRange {
  readonly type: string;
  readonly q: number;
}

function parseRange(range: string): MediaRange {
  const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase());
  const weight = parameters.find(parameter => parameter.startsWith('q='));
  const q = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, q: Number.isFinite(q) ? q : 0 };
}

/** The most specific range decides: the type itself, then its family, then everything. */
function quality(ranges: readonly MediaRange[], type: string): number {
  for (const candidate of [type, type.replace(/\/.*/, '/*'), '*/*']) {
    const range = ranges.find(known => known.type === candidate);
    if (range !== undefined) return range.q;
  }
  return 0;
}

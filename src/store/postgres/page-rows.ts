import type { PageRequest } from '../port/page.js';

export { afterTimeCursor, timeCursor, toPage } from '../pages.js';

/**
 * The keyset condition of a page: rows after the cursor, in the order of their ids, one more than asked for. The extra
 * row only tells whether another page follows. A page therefore never shifts when rows are added or removed.
 */
export function afterCursor({ limit, after }: PageRequest) {
  return { position: after === null ? undefined : { gt: after }, take: limit + 1 };
}

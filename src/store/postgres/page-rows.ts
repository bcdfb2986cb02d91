import type { Page, PageRequest } from '../port/page.js';

/**
 * The keyset condition of a page: rows after the cursor, in the order of their ids, one more than asked for. The extra
 * row only tells whether another page follows. A page therefore never shifts when rows are added or removed.
 */
export function afterCursor({ limit, after }: PageRequest) {
  return { position: after === null ? undefined : { gt: after }, take: limit + 1 };
}

/** Cuts the extra row off and names the cursor of the next page. */
export function toPage<Row>(found: readonly Row[], { limit }: PageRequest, idOf: (row: Row) => string): Page<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last !== undefined ? idOf(last) : null };
}

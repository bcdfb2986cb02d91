import type { Page, PageRequest } from './port/page.js';

/**
 * Cuts a page from what was found, one row more than asked for: the extra row only tells whether another page follows.
 * Names the cursor of the next page.
 */
export function toPage<Row>(found: readonly Row[], { limit }: PageRequest, idOf: (row: Row) => string): Page<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last !== undefined ? idOf(last) : null };
}

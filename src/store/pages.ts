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

/**
 * Where a page begins in a list in the order of a time, and of ids where times are equal.
 *
 * @returns `from`: after the row with this time and id; null on the first page. `take`: one more than asked for.
 */
export function afterTimeCursor({ limit, after }: PageRequest): {
  readonly from: { readonly time: Date; readonly id: string } | null;
  readonly take: number;
} {
  const [time = '', id = ''] = after?.split(' ') ?? [];
  return { from: after === null ? null : { time: new Date(time), id }, take: limit + 1 };
}

export function timeCursor(time: Date | null, id: string): string {
  return `${time?.toISOString()} ${id}`;
}

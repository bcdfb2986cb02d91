import type { Page, PageRequest } from '../port/page.js';

/**
 * The keyset condition of a page: rows after the cursor, in the order of their ids, one more than asked for. The extra
 * row only tells whether another page follows. A page therefore never shifts when rows are added or removed.
 */
export function afterCursor({ limit, after }: PageRequest) {
  return { position: after === null ? undefined : { gt: after }, take: limit + 1 };
}

/**
 * The same for a list in the order of a time, and of ids where times are equal.
 *
 * @returns `from`: where the page begins, after the row with this time and id; null on the first page.
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

/** Cuts the extra row off and names the cursor of the next page. */
export function toPage<Row>(found: readonly Row[], { limit }: PageRequest, idOf: (row: Row) => string): Page<Row> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last !== undefined ? idOf(last) : null };
}

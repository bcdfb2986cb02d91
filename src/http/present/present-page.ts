import type { Page } from '../../store/port/store.js';

export function presentPage<Row, Answer>(
  page: Page<Row>,
  present: (row: Row) => Answer,
): { data: Answer[]; next_cursor: string | null } {
  return { data: page.rows.map(present), next_cursor: page.next };
}

import { Context } from '@temporalio/activity';
import type { Page, PageRequest } from '../store/port/store.js';

const pageSize = 100;

/** Walks a bounded list to its end, a page at a time. */
export async function walkPages<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  visit: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  let after: string | null = null;
  do {
    const page: Page<Row> = await list({ limit: pageSize, after });
    await visit(page.rows);
    after = page.next;
  } while (after !== null);
}

/** Walks a bounded list page by page and heartbeats at every row, so that a dead worker is noticed in seconds. */
export function forEachPage<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  visit: (row: Row) => Promise<void>,
): Promise<void> {
  return walkPages(list, async rows => {
    for (const row of rows) {
      await visit(row);
      // Throttled by the SDK; a page of many rows may take longer than the heartbeat's timeout.
      Context.current().heartbeat();
    }
  });
}

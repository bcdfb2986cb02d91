import { Context } from '@temporalio/activity';
import type { Page, PageRequest } from '../store/port/store.js';

const pageSize = 100;

/** Walks a bounded list page by page and heartbeats at every row, so that a dead worker is noticed in seconds. */
export async function forEachPage<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  visit: (row: Row) => Promise<void>,
): Promise<void> {
  let after: string | null = null;
  do {
    const page: Page<Row> = await list({ limit: pageSize, after });
    for (const row of page.rows) {
      await visit(row);
      // Throttled by the SDK; a page of many rows may take longer than the heartbeat's timeout.
      Context.current().heartbeat();
    }
    after = page.next;
  } while (after !== null);
}

import { Context } from '@temporalio/activity';
import type { Page, PageRequest } from '../store/port/store.js';

const pageSize = 100;

/** Walks a bounded list page by page and heartbeats at every page, so that a dead worker is noticed in seconds. */
export async function forEachPage<Row>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  visit: (row: Row) => Promise<void>,
): Promise<void> {
  let after: string | null = null;
  do {
    // The first page needs none: its time runs from the start of the activity.
    if (after !== null) Context.current().heartbeat();
    const page: Page<Row> = await list({ limit: pageSize, after });
    for (const row of page.rows) await visit(row);
    after = page.next;
  } while (after !== null);
}

import { Context } from '@temporalio/activity';
import type { Log } from '../../log.js';

/** Goes through the rows one by one; a row that fails is logged and left for the next round. */
export async function countDone<Row extends { readonly id: string }>(
  rows: readonly Row[],
  log: Log,
  act: (row: Row) => Promise<boolean>,
): Promise<number> {
  let done = 0;
  for (const row of rows) {
    Context.current().heartbeat();
    try {
      if (await act(row)) done += 1;
    } catch (error) {
      log.warn({ id: row.id, error }, `The sweep could not go on with ${row.id}; the next round tries again`);
    }
  }
  return done;
}

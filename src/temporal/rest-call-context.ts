import type { Connection } from '@temporalio/client';

/**
 * Switches the client's AsyncLocalStorage off whenever no call is on its way. Once used it stays on, and on Node below 24
 * every promise of the process then pays for it: a tenth of the webhooks that a server takes in. The next call switches
 * it on again by itself. Connection.close() does the same, once and for all.
 *
 * Every call of ours goes through `withDeadline`, which reads and sets the context; none is made outside of it.
 */
export function restCallContext(connection: Connection): void {
  const withDeadline = connection.withDeadline.bind(connection);
  let underway = 0;
  connection.withDeadline = async (deadline, call) => {
    underway += 1;
    try {
      return await withDeadline(deadline, call);
    } finally {
      underway -= 1;
      if (underway === 0) connection.callContextStorage.disable();
    }
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import type { ServerProcess } from '../process/spawn-server.js';

const readyWithinMs = 60_000;

/**
 * Waits until the server answers for the namespace `default`; an open port alone comes earlier.
 *
 * @returns what went wrong, or `undefined` when it is ready
 */
export async function waitUntilReady(server: ServerProcess, address: string): Promise<string | undefined> {
  const deadline = Date.now() + readyWithinMs;
  while (!server.hasExited()) {
    if (await servesDefaultNamespace(address)) return undefined;
    if (Date.now() > deadline) return `not ready after ${readyWithinMs / 1000} s`;
    await sleep(50);
  }
  return server.exited;
}

async function servesDefaultNamespace(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address, connectTimeout: 1000 });
  try {
    await connection.withDeadline(Date.now() + 1000, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

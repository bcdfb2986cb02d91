import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

export const historiesDirectory = join(__dirname, '../replay/histories');

/**
 * Writes the history of a real run to test/replay/histories when RELINK_RECORD_HISTORIES=1; else does nothing.
 * Committed histories are replayed by every test run, so record only after a change that is meant to change them.
 */
export async function recordHistory(client: Client, workflowId: string, name: string): Promise<void> {
  if (process.env['RELINK_RECORD_HISTORIES'] !== '1') return;
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await mkdir(historiesDirectory, { recursive: true });
  await writeFile(join(historiesDirectory, `${name}.json`), `${historyToJSON(history)}\n`);
}

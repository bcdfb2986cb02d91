import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

export const historiesDirectory = join(__dirname, '../replay/histories');

/**
 * Writes the history of a real run to test/replay/histories when RELINK_RECORD_HISTORIES=1; else does nothing.
 * Committed histories are replayed by every test run, so record only after a change that is meant to change them.
 */
export async function recordHistory(client: Client, workflowId: string, name: string, runId?: string): Promise<void> {
  if (process.env['RELINK_RECORD_HISTORIES'] !== '1') return;
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  await mkdir(historiesDirectory, { recursive: true });
  const recorded: unknown = JSON.parse(historyToJSON(history));
  const text = JSON.stringify(leaveOutPlaces(recorded), null, 2);
  await writeFile(join(historiesDirectory, `${name}.json`), `${text}\n`);
}

/**
 * Puts the role in the place of each `identity`, which holds the process id and the host's name, and leaves out stack
 * traces, which hold paths: histories are the same wherever they are recorded. What happens in tasks is the worker's, everything else the client's.
 */
function leaveOutPlaces(value: unknown, role = 'relink-client'): unknown {
  if (Array.isArray(value)) return value.map(item => leaveOutPlaces(item, role));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      if (key === 'identity' && typeof inner === 'string') return [key, role];
      if (key === 'stackTrace') return [key, ''];
      return [key, leaveOutPlaces(inner, /^(workflow|activity)Task/.test(key) ? 'relink-worker' : role)];
    }),
  );
}

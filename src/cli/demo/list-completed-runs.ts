import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** Workflow ids of the completed reauth runs; visibility lags behind by an instant, so `atLeast` are waited for. */
export async function listCompletedRuns(client: Client, atLeast: number): Promise<string[]> {
  for (let look = 1; ; look += 1) {
    const found: string[] = [];
    const query = 'WorkflowType = "reauth" AND ExecutionStatus = "Completed"';
    for await (const run of client.workflow.list({ query })) found.push(run.workflowId);
    if (found.length >= atLeast || look === 50) return found.reverse();
    await sleep(100);
  }
}

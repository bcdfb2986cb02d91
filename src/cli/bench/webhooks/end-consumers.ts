import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

const atOnce = 20;

/** Ends every consumer that runs; looks again until the list, which follows a little later, is empty. */
export async function endConsumers(client: Client): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const ids: string[] = [];
    const open = client.workflow.list({ query: `WorkflowType = 'webhooks' AND ExecutionStatus = 'Running'` });
    for await (const { workflowId } of open) ids.push(workflowId);
    if (ids.length === 0) return;
    const end = async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        // It may have ended by itself meanwhile.
        await client.workflow
          .getHandle(id)
          .terminate('the next part of the benchmark begins')
          .catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, end));
    await sleep(500);
  }
  throw new Error('consumers of an earlier part still run');
}

import type { Client } from '@temporalio/client';

/** Starts, signals, activities and local activities in the histories of these runs, continued ones included. */
export async function countActions(client: Client, workflowIds: readonly string[]): Promise<number> {
  let actions = 0;
  for (const workflowId of workflowIds) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    for (const event of events ?? []) {
      if (
        event.workflowExecutionStartedEventAttributes ??
        event.workflowExecutionSignaledEventAttributes ??
        event.activityTaskScheduledEventAttributes ??
        event.markerRecordedEventAttributes ??
        event.timerStartedEventAttributes
      ) {
        actions += 1;
      }
    }
  }
  return actions;
}

/** How many consumers were ever started for these integrations. */
export async function countConsumers(client: Client, integrationIds: readonly string[]): Promise<number> {
  let found = 0;
  for (const id of integrationIds) {
    const description = await client.workflow
      .getHandle(`webhooks/${id}`)
      .describe()
      .catch(() => null);
    if (description !== null) found += 1;
  }
  return found;
}

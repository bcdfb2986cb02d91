import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/**
 * Starts, signals, activities, local activities and timers in every run that these workflows began since `since`: those
 * that continued as new and those started again included.
 */
export async function countActions(client: Client, workflowIds: readonly string[], since: Date): Promise<number> {
  const known = new Set(workflowIds);
  let actions = 0;
  const query = `WorkflowType = 'webhooks' AND StartTime >= '${since.toISOString()}'`;
  for await (const { workflowId, runId } of client.workflow.list({ query })) {
    if (!known.has(workflowId)) continue;
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
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
  if (actions === 0) throw new Error('Temporal lists no run of the webhooks workflow, though deliveries were handled');
  return actions;
}

/** How many consumers were ever started for these integrations. */
export async function countConsumers(client: Client, integrationIds: readonly string[]): Promise<number> {
  let found = 0;
  for (const id of integrationIds) {
    try {
      await client.workflow.getHandle(`webhooks/${id}`).describe();
      found += 1;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return found;
}

import { proxyActivities } from '@temporalio/workflow';
import type { NaiveActivities } from './naive-contract.js';

const { handle } = proxyActivities<NaiveActivities>({ startToCloseTimeout: '15 seconds' });

/** The form that comes first to mind: a workflow per webhook, with one activity. */
export async function naive(): Promise<void> {
  await handle();
}

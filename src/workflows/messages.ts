import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Connection, RefreshResult } from '../contracts/workflows.js';
import { connectedUpdateName, refreshedUpdateName, wakeSignalName } from '../contracts/workflow-ids.js';

/** Answers when credential and entity are stored. Takes nothing: an update is not durable until a worker accepts it. */
export const connectedUpdate = defineUpdate<Connection>(connectedUpdateName);

export const wakeSignal = defineSignal(wakeSignalName);

/** Answers with a refresh's outcome, or with `pending` where the next step is further away than a caller waits. */
export const refreshedUpdate = defineUpdate<RefreshResult>(refreshedUpdateName);

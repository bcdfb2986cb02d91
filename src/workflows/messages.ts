import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Connection } from '../contracts/workflows.js';
import { connectedUpdateName, wakeSignalName } from '../contracts/workflow-ids.js';

/** Answers when credential and entity are stored. Takes nothing: an update is not durable until a worker accepts it. */
export const connectedUpdate = defineUpdate<Connection>(connectedUpdateName);

export const wakeSignal = defineSignal(wakeSignalName);

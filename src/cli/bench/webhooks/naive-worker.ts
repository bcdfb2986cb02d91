import { join } from 'node:path';
import { runPlainWorker } from '../run-plain-worker.js';
import { naiveTaskQueue, type NaiveActivities } from './naive-contract.js';

const activities: NaiveActivities = { handle: () => Promise.resolve() };

runPlainWorker({
  workflowsPath: join(__dirname, 'naive-workflow.js'),
  taskQueue: naiveTaskQueue,
  activities: { ...activities },
});

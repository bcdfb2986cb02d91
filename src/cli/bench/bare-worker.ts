import { join } from 'node:path';
import { bareTaskQueue, type BareActivities } from './bare-contract.js';
import { runPlainWorker } from './run-plain-worker.js';

const nothing = () => Promise.resolve();
const activities: BareActivities = { first: nothing, second: nothing, third: nothing };

runPlainWorker({
  workflowsPath: join(__dirname, 'bare-workflow.js'),
  taskQueue: bareTaskQueue,
  activities: { ...activities },
});

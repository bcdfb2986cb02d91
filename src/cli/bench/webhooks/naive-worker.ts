import { join } from 'node:path';
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { naiveTaskQueue, type NaiveActivities } from './naive-contract.js';

const activities: NaiveActivities = { handle: () => Promise.resolve() };

/** A worker process for the naive form. Ends on SIGTERM. */
async function main(): Promise<void> {
  const connection = await NativeConnection.connect({ address: process.argv[2] ?? '127.0.0.1:7233' });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: join(__dirname, 'naive-workflow.js') });
  const worker = await Worker.create({
    connection,
    taskQueue: naiveTaskQueue,
    activities: { ...activities },
    workflowBundle,
  });
  await worker.run();
  await connection.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

import { join } from 'node:path';
import { NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { bareTaskQueue, type BareActivities } from './bare-contract.js';

const nothing = () => Promise.resolve();
const activities: BareActivities = { first: nothing, second: nothing, third: nothing };

/** A worker process of the same make as Relink's, for the bare workflow. Ends on SIGTERM. */
async function main(): Promise<void> {
  const connection = await NativeConnection.connect({ address: process.argv[2] ?? '127.0.0.1:7233' });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: join(__dirname, 'bare-workflow.js') });
  const worker = await Worker.create({
    connection,
    taskQueue: bareTaskQueue,
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

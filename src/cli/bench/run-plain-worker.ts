import { NativeConnection, Worker, bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';

interface PlainWorker {
  /** The compiled file that exports the workflow. */
  readonly workflowsPath: string;
  readonly taskQueue: string;
  readonly activities: NonNullable<WorkerOptions['activities']>;
}

/** A worker process of the same make as Relink's, for a form it is measured against. Ends on SIGTERM. */
export function runPlainWorker(plain: PlainWorker): void {
  run(plain).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
}

async function run({ workflowsPath, taskQueue, activities }: PlainWorker): Promise<void> {
  const connection = await NativeConnection.connect({ address: process.argv[2] ?? '127.0.0.1:7233' });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath });
  const worker = await Worker.create({ connection, taskQueue, activities, workflowBundle });
  await worker.run();
  await connection.close();
}

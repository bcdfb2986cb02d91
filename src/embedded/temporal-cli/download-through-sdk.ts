import { chmod, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Lets the Temporal SDK download the CLI (it does so when a local test server is asked for) and puts it into
 * `directory`/bin/temporal.
 *
 * @throws Error when the download fails, as it does on a network that reaches only package registries
 */
export async function downloadThroughSdk(directory: string, version: string): Promise<void> {
  // Loaded here alone: the testing package is large, and this is the last resort.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  await mkdir(join(directory, 'bin'), { recursive: true });
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: directory, version: `v${version}` } },
  });
  await environment.teardown();
  const file = (await readdir(directory)).find(name => name.startsWith('temporal'));
  if (file === undefined) throw new Error('the SDK reported a download but left no file');
  await rename(join(directory, file), join(directory, 'bin', 'temporal'));
  await chmod(join(directory, 'bin', 'temporal'), 0o755);
}

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

const bundle = () =>
  bundleWorkflowCode({ workflowsPath: join(__dirname, '../../src/workflows/index.ts'), logger: silent });
const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * The bundle of `src/workflows`, made by the first file of a test run that needs it and kept in the run's directory:
 * webpack takes seconds. Two that begin at once make it both; whole files only take its place. A run without servers has
 * no directory.
 */
export async function loadWorkflowBundle(): Promise<{ readonly codePath: string } | { readonly code: string }> {
  const directory = process.env['RELINK_TEST_RUN_DIRECTORY'];
  if (directory === undefined) return bundle();
  const codePath = join(directory, 'workflow-bundle.js');
  if (!existsSync(codePath)) {
    const { code } = await bundle();
    const own = `${codePath}.${randomBytes(4).toString('hex')}`;
    await writeFile(own, code);
    await rename(own, codePath);
  }
  return { codePath };
}

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(__dirname, '../../..');

/** Where the compiled code is. */
export const compiled = join(root, 'dist');

/**
 * These tests run what is in dist/, so a dist/ that is missing or older than src/ would test something else.
 *
 * @throws Error that says what to run.
 */
export function checkBuild(): void {
  const script = pathToFileURL(join(root, 'scripts/lib/ensure-build.mjs')).href;
  const code = `const { isBuilt } = await import(${JSON.stringify(script)}); process.exitCode = isBuilt() ? 0 : 1;`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', code]);
  if (status !== 0) throw new Error('dist/ is missing or older than src/. Run: npm run build');
}

import { existsSync, rmSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { hashFiles, listFiles } from './hash-files.mjs';
import { runQuietly } from './run-quietly.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const stampFile = inRoot('dist', '.stamp.json');
const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
const bundler = inRoot('dist', 'build-workflow-bundle.js');

/** Whether dist/ is what src/, the settings and the dependencies give. */
export function isBuilt() {
  return readStamp(stampFile)?.hash === hashInputs(listFiles('src'));
}

/** Compiles src/ to dist/ and bundles the workflows, when a source, a setting or a dependency changed. */
export async function ensureBuild() {
  const files = listFiles('src');
  const hash = hashInputs(files);
  const stamp = readStamp(stampFile);
  if (stamp?.hash === hash) return;
  // Without a stamp a build was cut short, and the compiler's own notes may claim more than there is. A source that is
  // gone leaves its output behind, which could still be imported.
  const sources = new Set(files);
  if (stamp === undefined || stamp.files.some(file => !sources.has(file))) {
    rmSync(inRoot('dist'), { recursive: true, force: true });
  } else {
    rmSync(stampFile);
  }
  await runQuietly('compiling', process.execPath, [compiler, '-p', 'tsconfig.build.json']);
  if (existsSync(bundler)) await runQuietly('bundling the workflows', process.execPath, [bundler]);
  writeStamp(stampFile, { hash, files });
}

const hashInputs = files =>
  hashFiles([...files, ...listFiles('tsconfig.json', 'tsconfig.build.json', 'package-lock.json')]);

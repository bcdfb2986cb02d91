/**
 * `npm test`: sets up what is missing, and checks style, format and types while it runs all tests. With arguments
 * (`npm test -- --selectProjects unit`) only the tests, with these arguments for Jest. The last line is the sum.
 */
import { ensureAll } from './lib/ensure-all.mjs';
import { inRoot } from './lib/paths.mjs';
import { runJest } from './lib/run-jest.mjs';
import { capture } from './lib/run-quietly.mjs';

const bin = (...parts) => inRoot('node_modules', ...parts);
/** Side by side, each list in its order: the first takes as long as the others together. */
const checks = [
  [['lint', [bin('eslint', 'bin', 'eslint.js'), '.']]],
  [
    ['format', [bin('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    ['types', [bin('typescript', 'bin', 'tsc'), '--noEmit']],
    ['types of the workflows', [bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'src/workflows/tsconfig.json']],
  ],
];

const args = process.argv.slice(2);
const problems = [];
const sum = { passed: 0, failed: 0, skipped: [] };

if (await ensureAll()) {
  // Beside the tests, many of which wait for most of their time.
  const checking = args.length === 0 ? Promise.all(checks.map(checkInOrder)) : undefined;
  const tests = await runJest(args);
  await checking;
  for (const problem of problems) console.log(problem);
  sum.passed += tests.passed;
  sum.failed += tests.failed;
  sum.skipped = tests.skipped;
} else {
  sum.failed = 1;
}

for (const name of sum.skipped) console.log(`skipped: ${name}`);
const skipped = sum.skipped.length === 0 ? '' : `, ${sum.skipped.length} skipped`;
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exit(sum.failed === 0 ? 0 : 1);

async function checkInOrder(list) {
  for (const [name, command] of list) await check(name, command);
}

async function check(name, command) {
  const startedAt = Date.now();
  const { code, output } = await capture(process.execPath, command);
  const took = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  if (code === 0) sum.passed += 1;
  else sum.failed += 1;
  // At the end, not amid what the tests print.
  if (code !== 0) problems.push(`${name}:\n${output.trimEnd()}`);
  console.log(`${name}: ${code === 0 ? 'ok' : 'failed'} (${took})`);
}

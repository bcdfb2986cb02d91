import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRoot } from './paths.mjs';
import { runProgram } from './run-program.mjs';

/**
 * Runs Jest with its usual output and counts from its report.
 *
 * @returns {Promise<{passed: number, failed: number, skipped: string[]}>} a suite that could not run counts as failed
 */
export async function runJest(args) {
  const directory = mkdtempSync(join(tmpdir(), 'relink-jest-'));
  const outputFile = join(directory, 'report.json');
  try {
    const jest = inRoot('node_modules', 'jest', 'bin', 'jest.js');
    const code = await runProgram([jest, ...args, '--json', `--outputFile=${outputFile}`]);
    return existsSync(outputFile) ? count(JSON.parse(readFileSync(outputFile, 'utf8')), code) : noReport();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const noReport = () => ({ passed: 0, failed: 1, skipped: [] });

function count(report, code) {
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const skipped = report.testResults.flatMap(suite =>
    suite.assertionResults
      .filter(test => ['pending', 'todo', 'disabled'].includes(test.status))
      .map(test => test.fullName),
  );
  // A failing teardown shows in the exit code alone.
  return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

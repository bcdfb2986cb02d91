/** `npm run test:lts`: all tests on the current LTS of Node, which the npm package `node` brings along. */
import { spawnSync } from 'node:child_process';

const { status } = spawnSync(
  'npm',
  ['exec', '--yes', '--package=node@24', '--', 'node', 'scripts/test.mjs', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);

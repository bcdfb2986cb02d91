/** `node scripts/run-cli.mjs <command> …`: sets up what is missing, then runs dist/cli/<command>.js. */
import { existsSync } from 'node:fs';
import { ensureAll } from './lib/ensure-all.mjs';
import { inRoot } from './lib/paths.mjs';
import { runProgram } from './lib/run-program.mjs';

const [name, ...args] = process.argv.slice(2);
if (!/^[a-z][a-z-]*$/.test(name ?? '')) {
  console.error('Usage: node scripts/run-cli.mjs <command> [arguments]; the commands are the files of src/cli.');
  process.exit(2);
}
if (!(await ensureAll())) process.exit(1);
const file = inRoot('dist', 'cli', `${name}.js`);
if (!existsSync(file)) {
  console.error(`There is no command "${name}" (src/cli/${name}.ts).`);
  process.exit(2);
}
process.exit(await runProgram(['--enable-source-maps', file, ...args]));

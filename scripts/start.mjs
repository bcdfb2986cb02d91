/** `npm start`: sets up what is missing, then runs everything in one process tree. */
import { ensureAll } from './lib/ensure-all.mjs';
import { inRoot } from './lib/paths.mjs';
import { runProgram } from './lib/run-program.mjs';

if (!(await ensureAll())) process.exit(1);
process.exit(await runProgram(['--enable-source-maps', inRoot('dist', 'dev.js'), ...process.argv.slice(2)]));

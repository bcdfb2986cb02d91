import { join } from 'node:path';
import type { ThreadEntry } from '../../src/handlers/start-thread.js';

/** Handler threads from the source: the compiled program is not there in tests. */
export const handlerEntry: ThreadEntry = {
  path: join(__dirname, 'run-typescript.cjs'),
  argv: [join(__dirname, '../../src/handlers/handler-thread.ts')],
};

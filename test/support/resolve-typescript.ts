/**
 * Jest transforms the files that globalSetup imports but does not map their names, so `./x.js` would not find x.ts there.
 * This lets Node's resolver try the TypeScript file. Imported first by global-setup.ts and global-teardown.ts.
 */
import Module from 'node:module';
import { join } from 'node:path';

type Resolve = (request: string, parent: { filename?: string } | undefined, ...rest: unknown[]) => string;

const internals = Module as typeof Module & { _resolveFilename: Resolve };
const resolve = internals._resolveFilename;

internals._resolveFilename = function (request, parent, ...rest) {
  // What an adopter's module imports; else it would be the compiled one.
  if (request === 'relink') return join(__dirname, '../../src/integrations/public.ts');
  try {
    return resolve.call(this, request, parent, ...rest);
  } catch (err) {
    const fromTypeScript = parent?.filename?.endsWith('.ts') ?? false;
    if (!fromTypeScript || !/^\.{1,2}\/.*\.js$/.test(request)) throw err;
    return resolve.call(this, request.replace(/\.js$/, '.ts'), parent, ...rest);
  }
};

/**
 * `node run-typescript.cjs file.ts …`: runs a TypeScript file of the tests in a process of its own, from its source, so
 * that a test can kill it. Types are stripped, not checked.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    sourceMaps: 'inline',
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

require('./resolve-typescript.ts');
process.argv.splice(1, 1);
require(resolve(process.argv[1]));

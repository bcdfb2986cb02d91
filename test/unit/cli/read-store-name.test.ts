import { readStoreName } from '../../../src/cli/read-store-name.js';

test.each([
  [[], 'postgres', []],
  [['--pairs', '5'], 'postgres', ['--pairs', '5']],
  [['--store', 'mongo'], 'mongo', []],
  [['--pairs', '5', '--store', 'documentdb', '--keep'], 'documentdb', ['--pairs', '5', '--keep']],
  [['--store=mongo', '--pairs', '5'], 'mongo', ['--pairs', '5']],
])('%j means the store %s', (args, store, rest) => {
  expect(readStoreName(args)).toEqual({ store, rest });
});

test.each([[['--store']], [['--store', 'mysql']], [['--store=']]])('%j is refused with the names there are', args => {
  expect(() => readStoreName(args)).toThrow(/--store must be one of postgres, mongo, documentdb, not ".*"$/);
});

import { readStoreName } from '../../../src/cli/read-store-name.js';
import { refuseArguments } from '../../../src/cli/refuse-arguments.js';

it.each([
  [[], []],
  [['--store', 'mongo'], []],
  [['--keep', '--store=mongo'], ['--keep']],
])('%j is taken', (args, known) => {
  expect(() => refuseArguments(readStoreName(args).rest, known)).not.toThrow();
});

it.each<[string[], string[], string]>([
  [
    ['--sotre', 'mongo'],
    ['--keep'],
    'unknown: "--sotre", "mongo"; this takes --store postgres|mongo|documentdb and --keep',
  ],
  [['--store', 'mongo', '--keep'], [], 'unknown: "--keep"; this takes --store postgres|mongo|documentdb'],
  [['--keep', 'mongo'], ['--keep'], 'unknown: "mongo"; this takes --store postgres|mongo|documentdb and --keep'],
])('%j is refused in one line', (args, known, told) => {
  expect(() => refuseArguments(readStoreName(args).rest, known)).toThrow(told);
});

it('nothing at all is taken where no argument is', () => {
  expect(() => refuseArguments(['--help'], [], [])).toThrow('unknown: "--help"; this takes no arguments');
});

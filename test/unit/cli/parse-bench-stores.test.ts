import { parseBenchStores } from '../../../src/cli/bench/stores/parse-options.js';

test.each([
  [[], false, ['postgres', 'mongo', 'documentdb']],
  [['--quick'], true, ['postgres', 'mongo', 'documentdb']],
  [['--stores', 'mongo'], false, ['mongo']],
  [['--stores=documentdb,postgres', '--quick'], true, ['postgres', 'documentdb']],
])('%j means quick: %s, and the stores %j', (args, quick, stores) => {
  expect(parseBenchStores(args)).toEqual({ quick, stores });
});

test.each(['mysql', '', 'postgres,mysql'])('--stores=%s is refused with the names there are', stores => {
  expect(() => parseBenchStores([`--stores=${stores}`])).toThrow(
    `--stores takes postgres, mongo, documentdb, separated by commas, not "${stores}"`,
  );
});

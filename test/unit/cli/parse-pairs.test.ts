import { parsePairs } from '../../../src/cli/bench/parse-pairs.js';

test.each([
  [[], 500],
  [['--pairs', '20'], 20],
  [['--pairs=7'], 7],
])('%j means %d pairs', (args, pairs) => {
  expect(parsePairs(args)).toBe(pairs);
});

test.each(['abc', '', '0', '-1', '1.5', '1e9'])('--pairs=%s is refused in a plain sentence', value => {
  expect(() => parsePairs([`--pairs=${value}`])).toThrow(
    `--pairs must be a whole number from 1 to 100000, not "${value}"`,
  );
});

test('an option that does not exist is refused, and so is one without its value', () => {
  expect(() => parsePairs(['--pears', '5'])).toThrow("Unknown option '--pears'");
  expect(() => parsePairs(['--pairs'])).toThrow('--pairs');
});

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const script = pathToFileURL(join(__dirname, '../../../scripts/lib/sum-stores.mjs')).href;
const summed = z.object({
  sum: z.record(z.string(), z.object({ passed: z.number(), failed: z.number() })),
  failures: z.array(z.string()),
  untested: z.array(z.string()),
  isGood: z.boolean(),
});

/** The script is no TypeScript: it runs in a process of its own. */
function sumStores(results: readonly object[], code: number, mustTestAll = false) {
  const program = `import { sumStores } from ${JSON.stringify(script)};
    console.log(JSON.stringify(sumStores(...JSON.parse(process.argv[1]))));`;
  const given = JSON.stringify([['postgres', 'mongo'], results, code, mustTestAll]);
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, given], { encoding: 'utf8' });
  return summed.parse(JSON.parse(output));
}

const oneCase = (place: string, title: string, status = 'passed') => ({
  ancestorTitles: [place],
  title,
  status,
  failureMessages: status === 'failed' ? ['why it failed'] : [],
});
const suite = (assertionResults: readonly object[], message = '') => ({ assertionResults, message });
const fullSuite = (store: string) =>
  suite(Array.from({ length: 40 }, (_, place) => oneCase(`the store port on ${store}`, `case ${place}`)));
const both = [fullSuite('postgres'), fullSuite('mongo')];

it('is good where every case passed', () => {
  expect(sumStores(both, 0, true)).toEqual({
    sum: { postgres: { passed: 40, failed: 0 }, mongo: { passed: 40, failed: 0 } },
    failures: [],
    untested: [],
    isGood: true,
  });
});

it('is not, where a case of a store failed', () => {
  const found = sumStores([...both, suite([oneCase('the store port on mongo', 'late', 'failed')])], 1);
  expect(found).toMatchObject({ isGood: false, sum: { mongo: { failed: 1 } } });
  expect(found.failures).toEqual(['mongo › late\nwhy it failed\n']);
});

it('is not, where a case beside the stores failed', () => {
  const found = sumStores([...both, suite([oneCase('what the store sends', 'is listed', 'failed')])], 1);
  expect(found.isGood).toBe(false);
  expect(found.failures).toEqual(['beside the stores › what the store sends › is listed\nwhy it failed\n']);
});

it('is not, where a suite cannot be loaded, whatever the machine', () => {
  const found = sumStores([fullSuite('postgres'), suite([], 'Cannot find module')], 1);
  expect(found).toMatchObject({ isGood: false, untested: ['mongo'], failures: ['Cannot find module'] });
});

it('is not, where only the exit code tells of a failure', () => {
  expect(sumStores(both, 1)).toMatchObject({ isGood: false, failures: [expect.stringContaining('code 1')] });
});

it('is not, where no report was written', () => {
  expect(sumStores([], 1)).toMatchObject({ isGood: false, untested: ['postgres', 'mongo'] });
});

it('is not, where a store passed fewer cases than are wanted', () => {
  const few = suite([oneCase('the store port on mongo', 'one')]);
  expect(sumStores([fullSuite('postgres'), few], 0)).toMatchObject({ isGood: false });
});

it('is good without a store that was skipped, unless all must be tested', () => {
  const skipped = suite([oneCase('the store port on mongo', 'one', 'pending')]);
  for (const [mustTestAll, isGood] of [
    [false, true],
    [true, false],
  ] as const) {
    expect(sumStores([fullSuite('postgres'), skipped], 0, mustTestAll)).toMatchObject({ isGood, untested: ['mongo'] });
  }
});

import { setTimeout as sleep } from 'node:timers/promises';
import { RelinkError } from '../../../src/errors.js';
import { GroupedReads } from '../../../src/http/intake/grouped-reads.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => String(from + n));

function start(readMany: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>) {
  const begun: (readonly string[])[] = [];
  const reads = new GroupedReads<string, string>(keys => {
    begun.push(keys);
    return readMany(keys);
  }, 100);
  return { reads, begun };
}
const echo = async (keys: readonly string[]) => {
  await sleep(20);
  return new Map(keys.filter(key => key !== 'none').map(key => [key, `value of ${key}`]));
};

test('those who ask at the same time share reads of bounded size, and each gets its own', async () => {
  const { reads, begun } = start(echo);
  const values = await Promise.all([...range(250), 'none', ...range(250)].map(key => reads.read(key)));
  expect(values).toEqual([
    ...range(250).map(key => `value of ${key}`),
    null,
    ...range(250).map(key => `value of ${key}`),
  ]);
  expect(begun.map(keys => keys.length)).toEqual([100, 100, 51]);
});

test('nobody gets what was read before it asked', async () => {
  let value = 'old';
  const { reads, begun } = start(async keys => {
    const seen = value;
    await sleep(20);
    return new Map(keys.map(key => [key, seen]));
  });
  const early = reads.read('a');
  await sleep(5);
  value = 'new';
  const late = [reads.read('a'), reads.read('a')];
  expect(await early).toBe('old');
  expect(await Promise.all(late)).toEqual(['new', 'new']);
  expect(begun).toEqual([['a'], ['a']]);
});

test('one that comes alone is on its way at once', async () => {
  const { reads, begun } = start(keys => Promise.resolve(new Map(keys.map(key => [key, key]))));
  const read = reads.read('a');
  await new Promise(setImmediate);
  expect(begun).toEqual([['a']]);
  await read;
});

test('while the database is away all that wait fail at once; any other failure is that read’s alone', async () => {
  let error: Error = new RelinkError('database_unavailable');
  const { reads, begun } = start(async keys => {
    await sleep(10);
    if (keys.includes('0')) throw error;
    return new Map();
  });
  const failed = async () =>
    (await Promise.allSettled(range(500).map(key => reads.read(key)))).filter(end => end.status === 'rejected').length;
  expect(await failed()).toBe(400);
  expect(begun).toHaveLength(2);
  error = new Error('a defect');
  expect(await failed()).toBe(100);
});

import { PeakMemory } from '../../../src/cli/bench/webhooks/peak-memory.js';

let used = 0;
jest.mock('../../../src/cli/bench/read-memory.js', () => ({ readMemory: () => Promise.resolve(used) }));

it('tells the peak of each part, and keeps the highest of all', async () => {
  const memory = new PeakMemory();
  memory.watch('worker', process.pid);
  used = 300;
  expect(await memory.endPart()).toBe('worker 300 MB (highest 300)');
  used = 100;
  expect(await memory.endPart()).toBe('worker 100 MB (highest 100)');
  // As it is while a part stops it.
  used = 0;
  expect(await memory.endPart()).toBe('worker not running');
  expect(memory.peaks()).toEqual({ worker: 300 });
});

import { Refusals } from '../../../src/http/refusals.js';
import { createLog } from '../../../src/log.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('the first of a kind is a line, the rest a line a minute with their number', () => {
  const lines: string[] = [];
  const refusals = new Refusals(createLog('info', 'test', { write: line => void lines.push(line) }));
  const texts = () => lines.splice(0).map(line => (JSON.parse(line) as { msg: string }).msg);
  for (let n = 0; n < 100; n += 1) refusals.note('A webhook of attio', 'webhook_signature_wrong');
  refusals.note('A webhook of attio', 'webhook_signature_missing');
  expect(texts()).toEqual([
    'A webhook of attio was answered webhook_signature_wrong',
    'A webhook of attio was answered webhook_signature_missing',
  ]);
  jest.advanceTimersByTime(59_000);
  expect(texts()).toEqual([]);
  jest.advanceTimersByTime(2_000);
  expect(texts()).toEqual(['A webhook of attio was answered webhook_signature_wrong, 99 more times within a minute']);
  refusals.note('A webhook of attio', 'webhook_signature_wrong');
  jest.advanceTimersByTime(60_000);
  expect(texts()).toEqual(['A webhook of attio was answered webhook_signature_wrong, once more within a minute']);
  jest.advanceTimersByTime(120_000);
  expect(texts()).toEqual([]);
  refusals.note('A webhook of attio', 'webhook_signature_wrong');
  expect(texts()).toEqual(['A webhook of attio was answered webhook_signature_wrong']);
});

import { noteOutcomes } from '../../../src/activities/deliveries/note-outcomes.js';
import { newId } from '../../../src/ids.js';
import { createLog } from '../../../src/log.js';

const minute = 60_000;
const lines: string[] = [];
const integrationId = newId('integration');
const texts = () =>
  lines.splice(0).map(line => (JSON.parse(line) as { msg: string }).msg.replaceAll(integrationId, 'it'));
const begun = 'Deliveries of it fail: handler_failed, HTTP 500. See its deliveries for each one.';
const over = 'Deliveries of it are handled again';

const notesOf = () =>
  noteOutcomes(createLog('info', 'test', { write: line => void lines.push(line) })).for(integrationId, () => undefined);
const failIn = (retryInMs: number | null) => ({
  reason: 'handler_failed' as const,
  detail: 'HTTP 500',
  nextAttemptAt: retryInMs === null ? null : new Date(Date.now() + retryInMs),
});

beforeEach(() => {
  jest.useFakeTimers();
  lines.splice(0);
});
afterEach(() => jest.useRealTimers());

test('one line when deliveries begin to fail and one when they are handled again', () => {
  const notes = notesOf();
  notes.succeeded();
  notes.failed(failIn(1_000));
  notes.failed(failIn(4_000));
  expect(texts()).toEqual([begun]);
  notes.succeeded();
  notes.succeeded();
  jest.advanceTimersByTime(minute);
  expect(texts()).toEqual([]);
  jest.advanceTimersByTime(10_000);
  expect(texts()).toEqual([over]);
  notes.failed(failIn(null));
  expect(texts()).toEqual([begun]);
});

test('successes among failures, which overtake or follow each other, are no end of them', () => {
  const notes = notesOf();
  for (const wait of [1_000, 4_000, 16_000, 64_000, 256_000, 1_024_000]) {
    notes.failed(failIn(wait));
    for (let n = 0; n < 5; n += 1) {
      jest.advanceTimersByTime(wait / 5);
      notes.succeeded();
    }
  }
  for (let n = 0; n < 100; n += 1) {
    notes.failed(failIn(null));
    notes.succeeded();
    jest.advanceTimersByTime(minute / 2);
  }
  expect(texts()).toEqual([begun]);
  jest.advanceTimersByTime(2 * minute);
  expect(texts()).toEqual([over]);
});

test('failures that went on in another worker are told anew when they come back long after', () => {
  const notes = notesOf();
  notes.failed(failIn(3_600_000));
  jest.advanceTimersByTime(120 * minute);
  notes.failed(failIn(3_600_000));
  expect(texts()).toEqual([begun]);
  jest.advanceTimersByTime(24 * 60 * minute);
  notes.failed(failIn(1_000));
  expect(texts()).toEqual([begun]);
});

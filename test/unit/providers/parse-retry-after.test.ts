import { parseRetryAfter } from '../../../src/providers/parse-retry-after.js';

const now = new Date('2026-01-01T00:00:00.000Z');
const day = 24 * 3_600_000;

test.each([
  ['0', 0],
  ['1', 1000],
  [' 120 ', 120_000],
  ['999999999', day],
  ['9'.repeat(400), day],
  ['Thu, 01 Jan 2026 00:01:30 GMT', 90_000],
  ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ['Thu, 01 Jan 2099 00:00:00 GMT', day],
  [['7', '9'], 7000],
])('%j is %d ms', (value, expected) => expect(parseRetryAfter(value, now)).toBe(expected));

test.each([undefined, '', 'soon', '-1', '1.5', '2026-01-01T00:01:30Z', 'Thu, 99 Foo 2026 00:00:00 GMT', []])(
  '%j says nothing',
  value => expect(parseRetryAfter(value, now)).toBeNull(),
);

import { decideGate, discardReason, type Gate, retryDelayMs } from '../../src/domain/delivery.js';
import { integrationStatuses, type IntegrationStatus } from '../../src/domain/status.js';

/** The table of docs/webhooks.md: without a cause, and with one. */
const table: readonly [IntegrationStatus | null, Gate, Gate][] = [
  ['IN_CREATION', 'process', 'hold'],
  ['PROCESSING', 'process', 'hold'],
  ['NEEDS_CONFIG', 'process', 'hold'],
  ['ENABLED', 'process', 'process'],
  ['ERROR', 'hold', 'hold'],
  ['DISABLED', 'discard', 'discard'],
  ['IN_DELETION', 'discard', 'discard'],
  [null, 'discard', 'discard'],
];

test('every status has a gate', () => {
  expect(new Set(table.map(([status]) => status))).toEqual(new Set([...integrationStatuses, null]));
});

test.each(table)('%s: %s, and %s while a cause is open', (status, without, withCause) => {
  expect(decideGate({ status, openCauses: 0, whileInError: 'hold' })).toBe(without);
  expect(decideGate({ status, openCauses: 1, whileInError: 'hold' })).toBe(withCause);
});

test('a type may discard what comes in ERROR, and only then', () => {
  for (const [status, , withCause] of table) {
    const gate = decideGate({ status, openCauses: 1, whileInError: 'discard' });
    expect(gate).toBe(status === 'ERROR' ? 'discard' : withCause);
  }
});

test('what is discarded has a reason that names the status', () => {
  expect(discardReason('DISABLED')).toBe('integration_disabled');
  expect(discardReason('ERROR')).toBe('integration_in_error');
  expect(discardReason('IN_DELETION')).toBe('integration_deleted');
  expect(discardReason(null)).toBe('integration_deleted');
});

test('retries wait longer each time, up to an hour, and are spread', () => {
  expect([1, 2, 3, 4].map(attempt => retryDelayMs(attempt, 0))).toEqual([1_000, 4_000, 16_000, 64_000]);
  expect(retryDelayMs(50, 0)).toBe(3_600_000);
  expect(retryDelayMs(1, 1)).toBe(1_200);
});

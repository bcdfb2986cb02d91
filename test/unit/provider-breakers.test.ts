import { createProviderBreakers } from '../../src/credentials/provider-breakers.js';
import type { CredentialId, ProviderId } from '../../src/domain/ids.js';
import { createLog } from '../../src/log.js';

const attio = 'attio' as ProviderId;
const zoho = 'zoho' as ProviderId;
const first = 'cred_1' as CredentialId;
const second = 'cred_2' as CredentialId;
const third = 'cred_3' as CredentialId;

function setUp() {
  const lines: string[] = [];
  let now = 0;
  const log = createLog('info', 'test', { write: line => void lines.push(line) });
  const breakers = createProviderBreakers(
    log,
    () => now,
    () => 0.5,
  );
  /** Of two credentials in turn, unless one is named. */
  const fail = (times: number, isProbe = false, credential?: CredentialId) => {
    for (let time = 0; time < times; time += 1) {
      breakers.noteFailure(attio, credential ?? (time % 2 === 0 ? first : second), 'timeout', isProbe);
    }
  };
  return { lines, breakers, fail, pass: (milliseconds: number) => void (now += milliseconds) };
}

test('some failures in a row open it, an answer in between begins the count anew', () => {
  const { breakers, fail, lines } = setUp();
  fail(4);
  breakers.noteAnswer(attio);
  fail(4);
  expect(breakers.admit(attio, first).waitMs).toBeNull();
  fail(1);
  expect(breakers.isOpen(attio)).toBe(true);
  expect(breakers.admit(attio, third)).toEqual({ waitMs: 10_000 + 7_500, isProbe: false });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"level":"warn"');
  expect(lines[0]).toContain('attio seems to be down (timeout)');
});

test('one provider’s outage is none of another’s', () => {
  const { breakers, fail } = setUp();
  fail(5);
  expect(breakers.isOpen(zoho)).toBe(false);
  expect(breakers.admit(zoho, first).waitMs).toBeNull();
});

test('while it is open one at a time finds out, after pauses that grow, and nothing is said', () => {
  const { breakers, fail, lines, pass } = setUp();
  fail(5);
  for (const pauseMs of [10_000, 20_000, 40_000, 80_000, 120_000, 120_000]) {
    pass(pauseMs - 1);
    expect(breakers.admit(attio, first).waitMs).not.toBeNull();
    pass(1);
    expect(breakers.admit(attio, first)).toEqual({ waitMs: null, isProbe: true });
    expect(breakers.admit(attio, first).waitMs).not.toBeNull();
    fail(1, true);
  }
  expect(lines).toHaveLength(1);
});

test('the failures of requests that were under way when it opened prolong nothing', () => {
  const { breakers, fail, pass } = setUp();
  fail(10);
  expect(breakers.admit(attio, first).waitMs).toBe(10_000 + 7_500);
  pass(10_000);
  expect(breakers.admit(attio, first).isProbe).toBe(true);
  fail(3);
  pass(10_000);
  expect(breakers.admit(attio, first).isProbe).toBe(true);
});

describe('opened by the failures of one credential alone', () => {
  it('it lets the first other one find out at once, one at a time, and says nothing when that is answered', () => {
    const { breakers, fail, lines } = setUp();
    fail(5, false, first);
    expect(breakers.admit(attio, first).waitMs).not.toBeNull();
    expect(breakers.admit(attio, second)).toEqual({ waitMs: null, isProbe: true });
    expect(breakers.admit(attio, second).waitMs).not.toBeNull();
    expect(breakers.admit(attio, third).waitMs).not.toBeNull();
    breakers.noteAnswer(attio);
    expect(breakers.admit(attio, third)).toEqual({ waitMs: null, isProbe: false });
    expect(lines).toEqual([]);
  });

  it('it holds all once another failed as well, with the one line', () => {
    const { breakers, fail, lines, pass } = setUp();
    fail(5, false, first);
    breakers.admit(attio, second);
    expect(lines).toEqual([]);
    fail(1, true, second);
    expect(lines).toEqual([expect.stringContaining('attio seems to be down (timeout)')]);
    expect(breakers.admit(attio, third).waitMs).not.toBeNull();
    pass(20_000);
    expect(breakers.admit(attio, third)).toEqual({ waitMs: null, isProbe: true });
  });

  it('it is told by its next probe where nobody else came, and another one waits for a probe under way', () => {
    const { breakers, fail, lines, pass } = setUp();
    fail(5, false, first);
    pass(10_000);
    expect(breakers.admit(attio, first)).toEqual({ waitMs: null, isProbe: true });
    expect(breakers.admit(attio, second).waitMs).not.toBeNull();
    fail(1, true, first);
    expect(lines).toHaveLength(1);
    expect(breakers.admit(attio, second)).toEqual({ waitMs: null, isProbe: true });
    breakers.noteAnswer(attio);
    expect(lines[1]).toContain('attio answers again');
  });
});

test('a probe that never comes back is followed by another', () => {
  const { breakers, fail, pass } = setUp();
  fail(5);
  pass(10_000);
  expect(breakers.admit(attio, first).waitMs).toBeNull();
  pass(10_000);
  expect(breakers.admit(attio, first).waitMs).toBeNull();
});

test('its end is one line, which says how long it was and what was held back', () => {
  const { breakers, fail, lines, pass } = setUp();
  fail(5);
  breakers.admit(attio, first);
  breakers.admit(attio, first);
  pass(61_000);
  breakers.noteAnswer(attio);
  expect(breakers.isOpen(attio)).toBe(false);
  expect(breakers.admit(attio, first).waitMs).toBeNull();
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('attio answers again after 61 s; requests held back: 2');
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historiesDirectory } from '../support/record-history.js';
import { readSteps } from '../support/read-steps.js';

const stepsOf = (name: string) => {
  const recorded: unknown = JSON.parse(readFileSync(join(historiesDirectory, `${name}.json`), 'utf8'));
  return readSteps(recorded).join(' ');
};

const expected: readonly [string, RegExp][] = [
  ['webhooks-cancelled', /^process cancelled$/],
  ['webhooks-continued', /^process drained.* continued$/],
  ['webhooks-discard-woken', /^discard process drained/],
  ['webhooks-gone', /^discard$/],
  ['webhooks-handled', /^process drained.* timer$/],
  ['webhooks-held', /^process stopped timer hold$/],
  ['webhooks-hold-woken', /^hold process drained/],
  ['webhooks-more', /^process more process drained/],
  ['webhooks-preparation-failed', /^process failed drained/],
  ['webhooks-prepared', /^process prepared drained/],
  ['webhooks-retry-wait', /^process drained timer process drained/],
  ['webhooks-stopped-gone', /^process stopped\(none queued\) timer discard$/],
  ['webhooks-stopped-midway', /^process stopped discard$/],
];

/** A fixture that replays proves nothing of the branch in its name unless the branch is in it. */
it.each(expected)('%s holds what its name says', (name, steps) => {
  expect(stepsOf(name)).toMatch(steps);
});

it('no history is named without a word of what it holds', () => {
  const names = readdirSync(historiesDirectory).filter(file => file.startsWith('webhooks-'));
  expect(names.map(file => file.replace('.json', ''))).toEqual(expected.map(([name]) => name));
});

it('no history is another one over again', () => {
  const steps = expected.map(([name]) => stepsOf(name));
  expect(new Set(steps).size).toBe(steps.length);
});

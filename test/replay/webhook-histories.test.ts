import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historiesDirectory } from '../support/record-history.js';
import { readSteps } from '../support/read-steps.js';

const stepsOf = (name: string) => {
  const recorded: unknown = JSON.parse(readFileSync(join(historiesDirectory, `${name}.json`), 'utf8'));
  return readSteps(recorded).join(' ');
};

/** A fixture that replays proves nothing of the branch in its name unless the branch is in it. */
it.each([
  ['webhooks-handled', /^process drained /],
  ['webhooks-held', /process stopped timer hold$/],
  ['webhooks-more', /^process more process drained /],
  ['webhooks-retry-wait', /process drained timer process drained/],
  ['webhooks-stopped-midway', /process stopped .*(hold|discard)/],
  ['webhooks-discarded', /discard$/],
  ['webhooks-gone', /discard$/],
])('%s holds what its name says', (name, steps) => {
  expect(stepsOf(name)).toMatch(steps);
});

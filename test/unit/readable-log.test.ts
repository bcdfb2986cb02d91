import { createLog } from '../../src/log.js';
import { createReadableLines } from '../../src/readable-log.js';

const lines: string[] = [];
const log = createLog(
  'debug',
  'relink',
  createReadableLines(line => lines.push(line)),
);
beforeEach(() => lines.splice(0));

test('a line is its level and message', () => {
  log.info({ url: 'http://127.0.0.1:3000' }, 'Relink serves');
  log.warn('No provider is configured');
  expect(lines).toEqual(['info   Relink serves', 'warn   No provider is configured']);
});

test('an error is told by its message, and where it happened only from error on', () => {
  log.warn({ error: new Error('it broke') }, 'Something failed');
  log.error({ error: new Error('it broke') }, 'Something failed');
  expect(lines[0]).toBe('warn   Something failed: it broke');
  expect(lines[1]).toMatch(/^error {2}Something failed: it broke\n {4}at .*readable-log\.test/);
});

test('which request or workflow it was is told where the message may not say it', () => {
  log.info({ code: 'wrong_account', workflowId: 'reauth/ses_1' }, 'reauth ended: wrong_account');
  expect(lines).toEqual(['info   reauth ended: wrong_account (reauth/ses_1)']);
});

test('what is no line of ours passes as it is', () => {
  createReadableLines(line => lines.push(line)).write('no JSON\n');
  expect(lines).toEqual(['no JSON']);
});

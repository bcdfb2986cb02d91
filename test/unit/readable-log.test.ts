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

test('a line of a handler tells its integration and what the handler added', () => {
  const handler = { record: 'r1', list: 'my list', count: 2, 'odd name': null, sneaky: 'a\u001b[2J\nerror' };
  log.info({ integrationId: 'int_1', type: 'contact-mirror', handler }, 'contact mirrored');
  expect(lines).toEqual([
    'info   contact mirrored (int_1) record=r1 list="my list" count=2 "odd name"=null sneaky="a\\u001b[2J\\nerror"',
  ]);
});

test('what the message names already is not told twice', () => {
  log.warn({ integrationId: 'int_1' }, 'Deliveries of int_1 fail: handler_failed');
  log.warn({ workflowId: 'webhooks/int_1' }, 'A handler took its thread down (dlv_1 of int_1)');
  log.info({ integrationId: 'int_1', workflowId: 'webhooks/int_1' }, 'no new line');
  expect(lines).toEqual([
    'warn   Deliveries of int_1 fail: handler_failed',
    'warn   A handler took its thread down (dlv_1 of int_1)',
    'info   no new line (int_1, webhooks/int_1)',
  ]);
});

test('what is no line of ours passes as it is', () => {
  createReadableLines(line => lines.push(line)).write('no JSON\n');
  expect(lines).toEqual(['no JSON']);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { errorRegistry, isErrorCode, RelinkError } from '../../src/errors.js';
import { describeError } from '../../src/log.js';

/** The rows of docs/errors.md, read back into the registry's form. */
function readDocument(): [string, { status: number; retryable: boolean; text: string }][] {
  const document = readFileSync(join(__dirname, '..', '..', 'docs', 'errors.md'), 'utf8');
  const rows = document.split('\n').flatMap(line => {
    const cells = /^\| `([a-z_]+)` *\| *(\d+) *\| *(yes|no) *\| (.*?) *\|$/.exec(line);
    return cells === null ? [] : [cells];
  });
  return rows.map(([, code = '', status, retryable, text = '']) => [
    code,
    { status: Number(status), retryable: retryable === 'yes', text: text.replaceAll('\\|', '|') },
  ]);
}

test('docs/errors.md lists every code as the registry has it, in its order, and no other', () => {
  expect(readDocument()).toEqual(Object.entries(errorRegistry));
});

test.each(Object.entries(errorRegistry))('%s has a fitting status and a text for people', (_code, error) => {
  expect(error.status).toBeGreaterThanOrEqual(400);
  expect(error.status).toBeLessThan(600);
  // 503 is the status that invites a repeat (RFC 9110 section 15.6.4); no other does.
  expect(error.retryable).toBe(error.status === 503);
  expect(error.text).toMatch(/^[A-Z].*\.$/);
  expect(error.text).not.toMatch(/https?:/);
});

test('an error takes status and text from the registry and adds what it is about', () => {
  const error = new RelinkError('not_found', 'int_1');
  expect(error).toMatchObject({ code: 'not_found', status: 404, retryable: false, detail: 'int_1' });
  expect(error.message).toBe(`${errorRegistry.not_found.text} (int_1)`);
  expect(new RelinkError('not_found').message).toBe(errorRegistry.not_found.text);
});

test('the cause of an error is in no serialised form and no log line', () => {
  const cause = Object.assign(new Error('token-in-a-library-error'), { body: 'token-in-a-body' });
  const error = new RelinkError('exchange_failed', undefined, { cause });
  expect(error.cause).toBe(cause);
  expect(JSON.stringify(error)).not.toContain('token-in');
  expect(JSON.stringify(describeError(error))).not.toContain('token-in');
  expect(Object.keys(error)).not.toContain('cause');
  expect(inspect({ ...error })).not.toContain('token-in');
});

test('what is hung on a library error does not reach a log line', () => {
  const error = Object.assign(new Error('no answer'), { code: 'ECONNRESET', request: { authorization: 'Bearer xyz' } });
  const line = describeError(error);
  expect(line).toMatchObject({ type: 'Error', code: 'ECONNRESET', message: 'no answer' });
  expect(JSON.stringify(line)).not.toContain('xyz');
});

test('only codes of the registry are codes', () => {
  expect(isErrorCode('wrong_account')).toBe(true);
  for (const value of ['nothing', 'toString', '__proto__', '', null, 7]) expect(isErrorCode(value)).toBe(false);
});

import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type ErrorCode, RelinkError } from '../../../src/errors.js';
import { createLog } from '../../../src/log.js';
import { ConvertErrorsInterceptor } from '../../../src/temporal/convert-errors-interceptor.js';
import { createSdkLogger } from '../../../src/temporal/create-sdk-logger.js';

/** Runs an activity that throws, and returns what Temporal is told and what is logged. */
async function fail(error: Error, attempt = 1) {
  const lines: string[] = [];
  const log = createLog('debug', 'worker', { write: line => void lines.push(line) });
  const environment = new MockActivityEnvironment(
    { attempt },
    {
      interceptors: [context => ({ inbound: new ConvertErrorsInterceptor(context, log) })],
      logger: createSdkLogger(createLog('silent', 'sdk')),
    },
  );
  const failure: unknown = await environment.run(() => Promise.reject(error)).catch((thrown: unknown) => thrown);
  if (!(failure instanceof ApplicationFailure)) throw new Error('not converted');
  return { failure, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) };
}

test.each<[ErrorCode, number, string]>([
  ['wrong_account', 1, 'info'],
  ['identity_refused', 1, 'info'],
  ['provider_not_configured', 1, 'warn'],
  ['client_rejected', 1, 'warn'],
  ['secret_unreadable', 1, 'error'],
  ['provider_unavailable', 1, 'warn'],
  ['provider_unavailable', 2, 'debug'],
  ['provider_unavailable', 25, 'warn'],
])('%s at attempt %s is one line (%s) without a stack', async (code, attempt, level) => {
  const { failure, lines } = await fail(new RelinkError(code), attempt);
  expect(failure).toMatchObject({ type: code, nonRetryable: !new RelinkError(code).retryable });
  expect(lines).toEqual([expect.objectContaining({ level, code, attempt })]);
  expect(JSON.stringify(lines)).not.toContain('stack');
});

test('what nobody foresaw is an error with its stack in the log, and a bare sentence in the history', async () => {
  const { failure, lines } = await fail(new TypeError('reading nothing'));
  expect(failure).toMatchObject({ type: 'internal', nonRetryable: false });
  expect(failure.message).not.toContain('reading nothing');
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'error',
      error: expect.objectContaining({ message: 'reading nothing' }) as object,
    }),
  ]);
});

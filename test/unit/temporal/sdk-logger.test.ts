import { ApplicationFailure } from '@temporalio/common';
import { createLog } from '../../../src/log.js';
import { createSdkLogger } from '../../../src/temporal/create-sdk-logger.js';

const lines: string[] = [];
const sdk = createSdkLogger(createLog('debug', 'worker', { write: line => void lines.push(line) }));
const last = () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;

const activity = {
  taskToken: 'token-of-the-task',
  activityType: 'persistCredential',
  workflowId: 'reauth/ses_1',
  workflowType: 'reauth',
  attempt: 1,
  durationMs: 3,
};

/** As it comes out of the workflow's thread: only text is left of its class. */
function fromThread(message: string): Error {
  const error = new Error(message);
  error.stack = `ApplicationFailure: ${message}\n    at refusal (workflow-bundle.js:1:1)`;
  return error;
}

test('a failed activity, which the interceptor told already, is for debugging', () => {
  const error = ApplicationFailure.create({ type: 'wrong_account', message: 'Another account', nonRetryable: true });
  sdk.warn('Activity failed', { ...activity, error });
  expect(last()).toMatchObject({ level: 'debug', activity: 'persistCredential', workflowId: 'reauth/ses_1' });
  expect(last()['error']).toBeUndefined();
});

test('a workflow that ended with a code of ours is one line of information', () => {
  sdk.warn('Workflow failed', {
    workflowId: 'reauth/ses_1',
    workflowType: 'reauth',
    error: fromThread('The attempt ended: wrong_account'),
  });
  const { time, ...line } = last();
  expect(time).toBeDefined();
  expect(line).toEqual({
    level: 'info',
    role: 'worker',
    code: 'wrong_account',
    workflowId: 'reauth/ses_1',
    msg: 'reauth ended: wrong_account',
  });
});

test.each([
  ['Workflow failed', fromThread('something else')],
  ['Workflow failed', fromThread('The attempt ended: no_code_of_ours')],
  ['Activity failed', new TypeError('no failure of the interceptor')],
])('what nobody foresaw stays a warning with its error (%s)', (message, error) => {
  sdk.warn(message, { ...activity, error });
  expect(last()).toMatchObject({ level: 'warn', msg: message, error: { message: error.message } });
});

test.each(['debug', 'warn', 'error'] as const)('no line (%s) holds the token of a task', level => {
  sdk[level]('Heartbeat failed', activity);
  sdk.log(level === 'debug' ? 'DEBUG' : level === 'warn' ? 'WARN' : 'ERROR', 'Heartbeat failed', activity);
  expect(lines.slice(-2).join('')).toContain('persistCredential');
  for (const line of lines) expect(line).not.toContain('token-of-the-task');
});

test('a worker that is meant to run activities only is not warned of', () => {
  sdk.warn('No workflows registered, not polling for workflow tasks', { taskQueue: 'relink-deliveries' });
  expect(last()).toMatchObject({ level: 'debug' });
});

test('what the SDK informs about is for debugging', () => {
  sdk.info('Worker state changed', {});
  expect(last()).toMatchObject({ level: 'debug' });
});

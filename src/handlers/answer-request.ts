import { isErrorCode } from '../errors.js';
import type { HandlerServices } from './handler-host.js';
import { parseRequest, type ToThread } from './thread-messages.js';

type Reply = Omit<Extract<ToThread, { kind: 'response' }>, 'kind' | 'request'>;

/**
 * Makes one request of a handler and puts the outcome into words that may cross to its thread.
 *
 * @param services Undefined when the call is over.
 */
export async function answerRequest(services: HandlerServices | undefined, wanted: unknown): Promise<Reply> {
  const refuse = (code: string, message: string): Reply => ({ response: null, code, message });
  if (services === undefined) return refuse('handler_timed_out', 'This call is over');
  const parsed = parseRequest(wanted);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(issue => issue.path.join('.') || 'the request').join(', ');
    return refuse('invalid_request', `context.request was given something else than a request: ${fields}`);
  }
  try {
    return { response: await services.request(parsed.data), code: '', message: '' };
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    const isKnown = isErrorCode(code) && error instanceof Error;
    return isKnown ? refuse(code, error.message) : refuse('internal', 'The request could not be made');
  }
}

import { z } from 'zod';

/** One parameter, once: a duplicate arrives as an array and is refused (RFC 6749 section 3.1). */
export const callbackValue = z.string().max(8192);

/** What any provider may send to a callback: RFC 6749 section 4.1.2, RFC 9207 section 2. */
export const callbackFields = {
  code: callbackValue.min(1).optional(),
  state: callbackValue.min(1),
  error: callbackValue.min(1).optional(),
  error_description: callbackValue.optional(),
  error_uri: callbackValue.optional(),
  iss: callbackValue.optional(),
  scope: callbackValue.optional(),
};

/** A callback that says neither can only be a mistake; it must not use up the attempt. */
export function hasCodeOrError(callback: { readonly code?: string; readonly error?: string }): boolean {
  return callback.code !== undefined || callback.error !== undefined;
}

export const missingCode = { path: ['code'], error: 'code or error is required' };

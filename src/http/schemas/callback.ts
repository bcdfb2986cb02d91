import { z } from 'zod';

/** One parameter, once: a duplicate arrives as an array and is refused (RFC 6749 section 3.1). */
export const callbackValue = z.string().max(8192);

/** What any provider may send to a callback: RFC 6749 section 4.1.2, RFC 9207 section 2. */
export const callbackFields = {
  code: callbackValue.min(1).optional().describe('The authorization code, where access was granted.'),
  state: callbackValue.min(1).describe('The `state` of the authorization request, unchanged.'),
  error: callbackValue.min(1).optional().describe('Why access was not granted, such as `access_denied`.'),
  error_description: callbackValue.optional().describe("The provider's words for `error`; not passed on."),
  error_uri: callbackValue.optional().describe("The provider's page about `error`; not passed on."),
  iss: callbackValue.optional().describe('The issuer of the answer (RFC 9207), where the provider names it.'),
  scope: callbackValue.optional().describe('The scopes that were granted, where the provider names them.'),
};

/** A callback that says neither can only be a mistake; it must not use up the attempt. */
export function hasCodeOrError(callback: { readonly code?: string; readonly error?: string }): boolean {
  return callback.code !== undefined || callback.error !== undefined;
}

export const missingCode = { path: ['code'], error: 'code or error is required' };

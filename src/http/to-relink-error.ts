import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { RelinkError, type ErrorCode } from '../errors.js';

/** Fastify's own refusals that have a code of ours; every other one with a 4xx status is an invalid_request. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
};

/**
 * Turns whatever a route threw into an error of the registry. What frameworks and parsers write is not passed on: it
 * may quote the request. Issues name fields and rules, never values.
 */
export function toRelinkError(error: unknown): RelinkError {
  if (error instanceof RelinkError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const place = error.validationContext === 'querystring' ? 'query' : (error.validationContext ?? 'request');
    const issues = error.validation.map(({ instancePath, message }) => ({
      path: [place, ...instancePath.split('/').filter(part => part !== '')].join('.'),
      message: message ?? 'is not valid',
    }));
    return new RelinkError('invalid_request', undefined, { issues });
  }
  const { code, statusCode } = readFrameworkError(error);
  const known = code === undefined ? undefined : frameworkCodes[code];
  if (known !== undefined) return new RelinkError(known);
  const badJson = error instanceof SyntaxError && statusCode === 400;
  if (badJson || code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return new RelinkError('invalid_request', undefined, { issues: [{ path: 'body', message: 'is not valid JSON' }] });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new RelinkError('invalid_request');
  return new RelinkError('internal', undefined, { cause: error });
}

function readFrameworkError(error: unknown): { code: string | undefined; statusCode: number | undefined } {
  if (!(error instanceof Error)) return { code: undefined, statusCode: undefined };
  const code: unknown = 'code' in error ? error.code : undefined;
  const statusCode: unknown = 'statusCode' in error ? error.statusCode : undefined;
  return {
    code: typeof code === 'string' ? code : undefined,
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
  };
}

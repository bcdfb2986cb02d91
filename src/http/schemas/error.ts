import { z } from 'zod';
import { errorRegistry, isErrorCode, type ErrorCode } from '../../errors.js';
import { htmlAnswer } from './html-answer.js';

export const errorCodeSchema = z
  .enum(Object.keys(errorRegistry).filter(isErrorCode))
  .meta({ id: 'ErrorCode', description: 'What went wrong. docs/errors.md lists every code with its HTTP status.' });

const errorAnswerSchema = z
  .object({
    error: z
      .object({
        code: errorCodeSchema,
        message: z.string().describe('What happened and what to do about it.'),
        retryable: z.boolean().describe('The same request may succeed later without any change.'),
        issues: z
          .array(
            z.object({
              path: z.string().describe('The field, such as `body.entities.0`.'),
              message: z.string().describe('The rule it breaks; never its value.'),
            }),
          )
          .optional()
          .describe('The fields to correct, where there are any.'),
      })
      .describe('The error.'),
    request_id: z.string().describe('Names this request in the log; also in the `request-id` header.'),
  })
  .meta({ id: 'Error', description: 'The answer of a request that did not succeed.' });

export interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryable: boolean;
    readonly issues?: readonly { readonly path: string; readonly message: string }[];
  };
  readonly request_id: string;
}

const refused = 'The request was refused; `error.code` says why.';
const failed =
  'The service or the provider could not do it; with `Retry-After` where the same request may succeed later.';

/** What every route may answer besides its own. */
export const errorAnswers = {
  '4xx': errorAnswerSchema.describe(refused),
  '5xx': errorAnswerSchema.describe(failed),
} as const;

/** The same for the routes whose every answer is a page. */
export const errorPages = {
  '4xx': htmlAnswer('A page that says why the request was refused.'),
  '5xx': htmlAnswer('A page that says why it could not be done.'),
} as const;

/** The same for routes that answer browsers with a page and other callers with JSON. */
export const negotiatedErrors = {
  '4xx': htmlAnswer(refused, errorAnswerSchema),
  '5xx': htmlAnswer(failed, errorAnswerSchema),
} as const;

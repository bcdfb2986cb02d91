import { z } from 'zod';
import { errorRegistry, isErrorCode, type ErrorCode } from '../../errors.js';

export const errorCodeSchema = z.enum(Object.keys(errorRegistry).filter(isErrorCode)).meta({ id: 'ErrorCode' });

export const errorAnswerSchema = z
  .object({
    error: z.object({
      code: errorCodeSchema,
      message: z.string(),
      retryable: z.boolean().describe('The same request may succeed later without any change.'),
      issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
    request_id: z.string().describe('Names this request in the log.'),
  })
  .meta({ id: 'Error' });

export interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly retryable: boolean;
    readonly issues?: readonly { readonly path: string; readonly message: string }[];
  };
  readonly request_id: string;
}

/** What every route may answer besides its own. */
export const errorAnswers = { '4xx': errorAnswerSchema, '5xx': errorAnswerSchema } as const;

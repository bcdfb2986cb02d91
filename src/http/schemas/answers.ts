import { z } from 'zod';
import { sessionStates } from '../../domain/session.js';
import { integrationStatuses } from '../../domain/status.js';
import { credentialTestOutcomes } from '../../store/port/store.js';
import { errorActions } from '../error-action.js';
import { errorCodeSchema } from './error.js';

const time = z.string().describe('ISO 8601, UTC.');
const timestamps = { created_at: time, updated_at: time };

/** One page of a list. */
export function listAnswer<Row extends z.ZodType>(row: Row) {
  return z.object({
    data: z.array(row),
    next_cursor: z.string().nullable().describe('Null on the last page.'),
  });
}

export const connectionAnswer = z
  .object({ credential_id: z.string(), entity_id: z.string(), type: z.string().describe('The provider.') })
  .meta({ id: 'Connection' });

export const pendingAnswer = z
  .object({ attempt: z.string(), status: z.literal('pending'), status_url: z.string() })
  .meta({ id: 'PendingConnection' });

export const attemptAnswer = z
  .object({
    attempt: z.string(),
    type: z.string().describe('The provider.'),
    status: z.enum([...sessionStates, 'expired']),
    credential_id: z.string().optional(),
    entity_id: z.string().optional(),
    error: z.object({ code: errorCodeSchema, message: z.string(), action: z.enum(errorActions) }).optional(),
  })
  .meta({ id: 'Attempt' });

export const credentialAnswer = z
  .object({
    id: z.string(),
    provider: z.string(),
    auth_is_valid: z.boolean(),
    refreshable: z.boolean(),
    expires_at: time.nullable(),
    generation: z.number().int(),
    verdict: z.object({ code: z.string(), http_status: z.number().int().nullable(), since: time }).nullable(),
    last_test: z.object({ outcome: z.enum(credentialTestOutcomes), at: time }).nullable(),
    ...timestamps,
  })
  .meta({ id: 'Credential' });

export const entityAnswer = z
  .object({
    id: z.string(),
    type: z.string().describe('The provider.'),
    external_id: z.string(),
    name: z.string().nullable(),
    credential_id: z.string(),
    auth_is_valid: z.boolean().optional(),
    ...timestamps,
  })
  .meta({ id: 'Entity' });

export const integrationAnswer = z
  .object({
    id: z.string(),
    type: z.string(),
    status: z.enum(integrationStatuses),
    entities: z.array(z.string()),
    config: z.record(z.string(), z.unknown()),
    causes: z.array(
      z.object({
        credential_id: z.string(),
        provider: z.string(),
        code: z.string(),
        http_status: z.number().int().nullable(),
        text: z.string(),
        since: time,
      }),
    ),
    status_since: time,
    ...timestamps,
  })
  .meta({ id: 'Integration' });

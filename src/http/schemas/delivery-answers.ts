import { z } from 'zod';
import { deliveryReasons, deliveryStates } from '../../domain/delivery.js';

const time = (what: string) => z.string().nullable().describe(`${what} ISO 8601, UTC.`);

export const deliveryAnswer = z
  .object({
    id: z.string().describe('Id of the delivery; the idempotency key its handler is given.'),
    external_id: z.string().describe("The provider's id of it, or a generated key where it has none."),
    provider: z.string().describe('The provider, by its name in the catalogue.'),
    state: z
      .enum(deliveryStates)
      .describe(
        '`queued`: waits. `claimed`: being worked on. `succeeded`. `failed`: its attempts are spent. `discarded`: arrived while the integration took none. `expired`: held for too long, or too many were.',
      ),
    held: z.boolean().describe('Queued, and waiting for the integration to come back rather than for its turn.'),
    attempts: z.number().int().describe('How often it was tried, runs that died included.'),
    outcome: z
      .object({
        reason: z.enum(deliveryReasons).describe('A code; docs/webhooks.md lists them.'),
        detail: z.string().nullable().describe('A sentence for people, where there is one.'),
      })
      .nullable()
      .describe('Why it ended, or how its last attempt failed; null while all is well.'),
    next_attempt_at: time('When it is tried again; null: as soon as it is its turn.'),
    received_at: z.string().describe('When it arrived. ISO 8601, UTC.'),
    finished_at: time('When it ended.'),
  })
  .meta({ id: 'Delivery', description: 'One inbound webhook for one integration. Its content is never shown.' });

export const queuedAnswer = z.object({
  queued: z.number().int().describe('How many were queued again.'),
  more: z.boolean().describe('There are more of them: call again.'),
});

import { z } from 'zod';
import { causeCodes } from '../../domain/cause.js';
import { credentialKinds } from '../../domain/credential-kind.js';
import { credentialTestOutcomes } from '../../domain/credential-test.js';
import { sessionStates } from '../../domain/session.js';
import { integrationStatuses } from '../../domain/status.js';
import { errorActions } from '../error-action.js';
import { errorCodeSchema } from './error.js';

const id = (what: string) => z.string().describe(`Id of the ${what}.`);
const time = (what: string) => z.string().describe(`${what} ISO 8601, UTC.`);
const provider = z.string().describe('The provider, by its name in the catalogue, such as `attio`.');
const timestamps = { created_at: time('When it was made.'), updated_at: time('When it last changed.') };
const refusalStatus = z
  .number()
  .int()
  .nullable()
  .describe("The HTTP status of the provider's refusal; null when there was none.");

export const connectionAnswer = z
  .object({
    credential_id: id('credential that holds the grant'),
    entity_id: id('connected account'),
    type: provider,
  })
  .meta({ id: 'Connection', description: 'An account that is connected.' });

export const pendingAnswer = z
  .object({
    attempt: id('attempt'),
    status: z.literal('pending').describe('The outcome is not known yet; the work goes on by itself.'),
    status_url: z.string().describe('The path that tells how the attempt stands.'),
  })
  .meta({ id: 'PendingConnection', description: 'An attempt whose outcome was not known at the deadline.' });

export const attemptAnswer = z
  .object({
    attempt: id('attempt'),
    provider,
    status: z
      .enum([...sessionStates, 'expired'])
      .describe(
        [
          '`pending`: the user has not come back yet.',
          '`exchanging`: the code is with the provider.',
          '`exchanged`: the tokens are sealed and stored.',
          '`connected`: credential and entity are stored; the integrations are being restored.',
          '`restored`: done.',
          '`failed`: ended, see `error`.',
          '`expired`: nobody came back in time.',
        ].join(' '),
      ),
    credential_id: id('credential, once it is stored').optional(),
    entity_id: id('connected account, once it is stored').optional(),
    error: z
      .object({
        code: errorCodeSchema,
        message: z.string().describe('What happened, in a sentence for the user.'),
        action: z
          .enum(errorActions)
          .describe(
            'What to do: `connect_again` begins a new attempt, `wait` needs nothing, `operator` is beyond the user.',
          ),
      })
      .optional()
      .describe('Why the attempt failed; only where it did.'),
  })
  .meta({ id: 'Attempt', description: 'One attempt to connect an account.' });

export const credentialAnswer = z
  .object({
    id: id('credential'),
    provider,
    kind: z
      .enum(credentialKinds)
      .describe('`oauth2` came from the consent page of the provider; its user handed over the others.'),
    auth_is_valid: z.boolean().describe('False once the provider refused the credential for good.'),
    refreshable: z.boolean().describe('A refresh token is held, or tokens are minted with a client of its own.'),
    expires_at: z
      .string()
      .nullable()
      .describe('When the access token expires, ISO 8601, UTC; null when the provider named no time.'),
    generation: z.number().int().describe('Grows by one with every new grant.'),
    verdict: z
      .object({
        code: z.enum(causeCodes).describe('Why the credential is dead.'),
        http_status: refusalStatus,
        since: time('When it was found dead.'),
      })
      .nullable()
      .describe('Why the credential was declared dead; null while it is alive.'),
    open_refresh: z
      .object({
        given_up: z.number().int().describe('Runs for this generation that ended without an answer that decides.'),
        unanswered_since: z
          .string()
          .nullable()
          .describe('When the token request was made whose answer is not known, ISO 8601, UTC; null when all are.'),
        next_at: z.string().nullable().describe('When the next run begins by itself, ISO 8601, UTC.'),
      })
      .nullable()
      .describe('A refresh that has begun and brought no token yet; null while there is none.'),
    last_test: z
      .object({
        outcome: z
          .enum(credentialTestOutcomes)
          .describe(
            '`ok`: it works. `refused`: it is dead. `needs_refresh`: refused, and its refresh goes on: no verdict yet. `unreachable`: no verdict.',
          ),
        at: time('When the test ended.'),
      })
      .nullable()
      .describe('The latest test; null before the first.'),
    ...timestamps,
  })
  .meta({ id: 'Credential', description: "A credential's metadata; no token is in it." });

export const entityAnswer = z
  .object({
    id: id('entity'),
    provider,
    external_id: z.string().describe('The id of the account at its provider.'),
    name: z.string().nullable().describe("The account's name at its provider; null where that gives none."),
    credential_id: id('credential that it is reached with'),
    auth_is_valid: z
      .boolean()
      .optional()
      .describe('Whether that credential is alive. In the answer for one entity only, not in lists.'),
    ...timestamps,
  })
  .meta({ id: 'Entity', description: 'A connected account at a provider.' });

const causeAnswer = z
  .object({
    credential_id: id('dead credential'),
    provider,
    kind: z.enum(credentialKinds).describe('What the credential is, and so what its user has to give anew.'),
    code: z.enum(causeCodes).describe('Why the credential is dead.'),
    http_status: refusalStatus,
    text: z.string().describe('What happened and what to do, in a sentence for the user.'),
    since: time('When the cause was recorded.'),
  })
  .meta({ id: 'Cause', description: 'One dead credential that keeps an integration from working.' });

const queueAnswer = z
  .object({
    pending: z.number().int().describe('Queued or being worked on; counted up to the limit of held ones.'),
    held: z.number().int().describe('Of these, how many wait for the integration to come back.'),
    oldest_received_at: z.string().nullable().describe('When the oldest of them arrived. ISO 8601, UTC.'),
  })
  .meta({ id: 'DeliveryQueue', description: 'What an integration has still to work through.' });

const subscriptionAnswer = z
  .object({
    expires_at: z
      .string()
      .nullable()
      .describe('When the provider drops it, ISO 8601, UTC; null: it does not, or never said.'),
    failure: z
      .object({ detail: z.string().describe('What failed.'), since: time('Since when.') })
      .nullable()
      .describe('Why no webhooks may be coming; null while all is well.'),
  })
  .meta({ id: 'Subscription', description: "The integration's own webhook at the provider." });

export const integrationAnswer = z
  .object({
    id: id('integration'),
    type: z.string().describe('The integration type, as its definition names it.'),
    status: z
      .enum(integrationStatuses)
      .describe(
        'Computed from how far the set-up has come, what the user wants, and the open causes. ERROR always has a cause.',
      ),
    entities: z.array(z.string()).describe('Ids of the entities it works with.'),
    config: z.record(z.string(), z.unknown()).describe('Its settings, as they were given.'),
    config_issues: z
      .array(
        z.object({
          path: z.string().describe('The setting, such as `channels.0.name`; empty: the config as a whole.'),
          message: z.string().describe("What its type's schema says of it."),
        }),
      )
      .describe('Why it is NEEDS_CONFIG; else empty.'),
    causes: z.array(causeAnswer).describe('The open causes; also kept while the integration is not in ERROR.'),
    deliveries: queueAnswer.optional().describe('In the answer for one integration only, not in lists.'),
    subscription: subscriptionAnswer
      .nullable()
      .optional()
      .describe('Null where the type keeps none. In the answer for one integration only, not in lists.'),
    status_since: time('Since when it has this status.'),
    ...timestamps,
  })
  .meta({ id: 'Integration', description: 'A feature of the product that works with connected accounts.' });

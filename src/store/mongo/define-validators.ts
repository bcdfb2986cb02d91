import type { Document } from 'mongodb';
import type { Cause } from '../../domain/cause.js';
import { credentialKinds } from '../../domain/credential-kind.js';
import { deliveryStates, replayableStates } from '../../domain/delivery.js';
import type { CredentialId, ProviderId } from '../../domain/ids.js';
import { sessionStates } from '../../domain/session.js';
import { computeStatus, intents, lifecycles } from '../../domain/status.js';
import type { Collections } from './connect.js';
import { stageOf } from './delivery-documents.js';

const is = (...values: readonly (string | boolean | null)[]) => ({ enum: [...values] });
const nothing = { bsonType: 'null' };
const given = { not: nothing };
const rule = (properties: Document) => ({ properties, required: Object.keys(properties) });
const schema = (...anyOf: readonly Document[]) => ({ $jsonSchema: { bsonType: 'object', anyOf } });

/** Any: the rule counts them. */
const anyCause: Cause = {
  ...{
    credentialId: 'cred_' as CredentialId,
    provider: 'any' as ProviderId,
    code: 'credential_refused',
    kind: 'oauth2',
  },
  ...{ epoch: 1, httpStatus: null, text: '', since: '' },
};

/** One for each combination, from the one function that the status comes from. */
function statusRules(): Document[] {
  return lifecycles.flatMap(lifecycle =>
    intents.flatMap(intent =>
      [0, 1].map(count =>
        rule({
          lifecycle: is(lifecycle),
          intent: is(intent),
          causes: { bsonType: 'array', ...(count === 0 ? { maxItems: 0 } : { minItems: 1 }) },
          status: is(computeStatus(lifecycle, intent, count === 0 ? [] : [anyCause])),
        }),
      ),
    ),
  );
}

/**
 * What a document must be, whoever writes it: the same rules as PostgreSQL's checks, in the keywords that Amazon documents
 * too. A server without validators goes without them.
 *
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/json-schema-validation.html
 */
export const validators: Readonly<Partial<Record<keyof Collections, Document>>> = {
  sessions: schema(
    ...sessionStates.map(state =>
      rule({
        state: is(state),
        sealedGrant: state === 'exchanged' ? { bsonType: 'string' } : nothing,
        errorCode: state === 'failed' ? { bsonType: 'string' } : nothing,
        ...(state === 'connected' || state === 'restored' ? { credentialId: given, entityId: given } : {}),
        ...(['exchanged', 'connected', 'restored'].includes(state) ? { grantSequence: given } : {}),
      }),
    ),
  ),
  credentials: schema(
    rule({ kind: is(...credentialKinds), authIsValid: is(true), verdict: nothing }),
    rule({ kind: is(...credentialKinds), authIsValid: is(false), verdict: { bsonType: 'object' } }),
  ),
  integrations: schema(...statusRules()),
  deliveries: schema(
    ...deliveryStates.map(state =>
      rule({
        state: is(state),
        stage: is(stageOf(state)),
        claim: state === 'claimed' ? { bsonType: 'string' } : nothing,
        finishedAt: stageOf(state) === state ? { bsonType: 'date' } : nothing,
        ...(state === 'succeeded' ? { reason: nothing } : {}),
        ...(replayableStates.some(one => one === state) ? { reason: { bsonType: 'string' } } : {}),
      }),
    ),
  ),
};

import { z } from 'zod';
import { causeCodes } from '../../domain/cause.js';
import { credentialKinds } from '../../domain/credential-kind.js';
import { credentialTestOutcomes } from '../../domain/credential-test.js';
import type {
  CredentialId,
  EntityId,
  ExternalId,
  IntegrationId,
  IntegrationType,
  ProviderId,
  SessionId,
  TokenReadId,
  UserId,
} from '../../domain/ids.js';
import { sessionStates } from '../../domain/session.js';
import { integrationStatuses, intents, lifecycles } from '../../domain/status.js';
import type { Credential } from '../port/credential-store.js';
import type { Entity } from '../port/entity-store.js';
import type { Integration } from '../port/integration-store.js';
import type { Session } from '../port/session-store.js';
import type { TokenRead } from '../port/token-read-store.js';
import type { Subscription } from '../port/subscription-store.js';
import { storedCauses, storedConfig, storedEpochs } from '../stored-shapes.js';

/**
 * What came out of the database, checked: a document is whatever was once written, also by an older version, so a field
 * that may be null may also be missing.
 */
const text = z.string();
export const textOrNull = z
  .string()
  .nullish()
  .transform(value => value ?? null);
const dateOrNull = z
  .date()
  .nullish()
  .transform(value => value ?? null);
const count = z.number().int();

export const sessionShape = z.object({
  _id: text.transform(id => id as SessionId),
  userId: text.transform(id => id as UserId),
  provider: text.transform(id => id as ProviderId),
  state: z.enum(sessionStates),
  redirectUri: text,
  ownRedirect: z.boolean(),
  returnUrl: textOrNull,
  expectedEntityId: textOrNull.transform(id => id as EntityId | null),
  expectedExternalId: textOrNull.transform(id => id as ExternalId | null),
  browserHash: textOrNull,
  sealedRequest: text,
  sealedGrant: textOrNull,
  grantSequence: count.nullish().transform(value => value ?? null),
  account: z
    .object({
      externalId: text.transform(id => id as ExternalId),
      credentialExternalId: text.transform(id => id as ExternalId),
      name: textOrNull,
    })
    .nullish()
    .transform(value => value ?? null),
  credentialId: textOrNull.transform(id => id as CredentialId | null),
  entityId: textOrNull.transform(id => id as EntityId | null),
  errorCode: textOrNull,
  createdAt: z.date(),
  expiresAt: z.date(),
  updatedAt: z.date(),
});

export function toSession(document: unknown): Session {
  const { _id: id, ...rest } = sessionShape.parse(document);
  return { id, ...rest };
}

const countOrNone = count.nullish().transform(value => value ?? 0);

export const credentialShape = z.object({
  kind: z.enum(credentialKinds).default('oauth2'),
  refreshTry: countOrNone,
  refreshPosts: countOrNone,
  refreshPostedAt: dateOrNull,
  refreshDueAt: dateOrNull,
  grantEndsAt: dateOrNull,
  grantWarnAt: dateOrNull,
  _id: text.transform(id => id as CredentialId),
  userId: text.transform(id => id as UserId),
  provider: text.transform(id => id as ProviderId),
  externalId: text.transform(id => id as ExternalId),
  sealedTokens: text,
  refreshable: z.boolean(),
  expiresAt: dateOrNull,
  authIsValid: z.boolean(),
  verdict: z
    .object({
      code: z.enum(causeCodes),
      httpStatus: count.nullish().transform(value => value ?? null),
      since: z.date(),
    })
    .nullish()
    .transform(value => value ?? null),
  generation: count,
  epoch: count,
  grantSequence: count,
  lastTest: z
    .object({ outcome: z.enum(credentialTestOutcomes), generation: count, at: z.date() })
    .nullish()
    .transform(value => value ?? null),
  createdAt: z.date(),
  updatedAt: z.date(),
});

export function toCredential(document: unknown): Credential {
  const { _id: id, ...rest } = credentialShape.parse(document);
  return { id, ...rest };
}

export const entityShape = z.object({
  _id: text.transform(id => id as EntityId),
  userId: text.transform(id => id as UserId),
  provider: text.transform(id => id as ProviderId),
  externalId: text.transform(id => id as ExternalId),
  name: textOrNull,
  credentialId: text.transform(id => id as CredentialId),
  grantSequence: count,
  createdAt: z.date(),
  updatedAt: z.date(),
});

export function toEntity(document: unknown): Entity {
  const { _id: id, ...rest } = entityShape.parse(document);
  return { id, ...rest };
}

export const integrationShape = z.object({
  _id: text.transform(id => id as IntegrationId),
  userId: text.transform(id => id as UserId),
  type: text.transform(id => id as IntegrationType),
  entityIds: z.array(text.transform(id => id as EntityId)),
  config: text.transform(json => storedConfig.parse(JSON.parse(json))),
  lifecycle: z.enum(lifecycles),
  intent: z.enum(intents),
  causes: storedCauses,
  epochs: storedEpochs,
  status: z.enum(integrationStatuses),
  statusSince: z.date(),
  resumeSince: dateOrNull,
  version: count,
  createdAt: z.date(),
  updatedAt: z.date(),
});

export function toIntegration(document: unknown): Integration {
  const { _id: id, lifecycle, intent, causes, epochs, ...rest } = integrationShape.parse(document);
  return { id, ...rest, state: { lifecycle, intent, causes, epochs } };
}

export const subscriptionShape = z.object({
  _id: text.transform(id => id as IntegrationId),
  sealedSecrets: textOrNull,
  expiresAt: dateOrNull,
  dueAt: dateOrNull,
  failure: z
    .object({ detail: text, since: z.date(), tries: count })
    .nullish()
    .transform(value => value ?? null),
  version: count,
});

export function toSubscription(document: unknown): Subscription {
  const { _id: integrationId, ...rest } = subscriptionShape.parse(document);
  return { integrationId, ...rest };
}

export const tokenReadShape = z.object({
  _id: text.transform(id => id as TokenReadId),
  credentialId: text.transform(id => id as CredentialId),
  userId: text.transform(id => id as UserId),
  apiKey: text,
  generation: count,
  requestId: text,
  readAt: z.date(),
});

export function toTokenRead(document: unknown): TokenRead {
  const { _id: id, ...rest } = tokenReadShape.parse(document);
  return { id, ...rest };
}

/** One found document, or null when the condition did not hold. */
export function firstOf<Row>(document: unknown, read: (document: unknown) => Row): Row | null {
  return document === null ? null : read(document);
}

const credentialId = text.transform(id => id as CredentialId);
export const toCredentialId = (value: unknown): CredentialId => credentialId.parse(value);

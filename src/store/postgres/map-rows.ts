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
  UserId,
} from '../../domain/ids.js';
import { sessionStates } from '../../domain/session.js';
import { integrationStatuses, intents, lifecycles } from '../../domain/status.js';
import type { Credential } from '../port/credential-store.js';
import type { Entity } from '../port/entity-store.js';
import type { Integration } from '../port/integration-store.js';
import type { Session } from '../port/session-store.js';
import { entityKeySeparator, storedCauses, storedConfig, storedEpochs } from '../stored-shapes.js';
import type {
  AuthorizationSession as SessionRow,
  Credential as CredentialRow,
  Entity as EntityRow,
  Integration as IntegrationRow,
} from './generated/client.js';

const sessionState = z.enum(sessionStates);
const causeCode = z.enum(causeCodes);
const credentialKind = z.enum(credentialKinds);
const testOutcome = z.enum(credentialTestOutcomes);
const integrationStatus = z.enum(integrationStatuses);
const lifecycle = z.enum(lifecycles);
const intent = z.enum(intents);

/** A sequence number as the port has it. Grants would have to be counted past 2^53 for this to fail. */
function toSequence(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('grant sequence beyond 2^53');
  return Number(value);
}

export function toCredentialId(value: string): CredentialId {
  return value as CredentialId;
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id as SessionId,
    userId: row.userId as UserId,
    provider: row.provider as ProviderId,
    state: sessionState.parse(row.state),
    redirectUri: row.redirectUri,
    ownRedirect: row.ownRedirect,
    returnUrl: row.returnUrl,
    expectedEntityId: row.expectedEntityId as EntityId | null,
    expectedExternalId: row.expectedExternalId as ExternalId | null,
    browserHash: row.browserHash,
    sealedRequest: row.sealedRequest,
    sealedGrant: row.sealedGrant,
    grantSequence: row.grantSequence === null ? null : toSequence(row.grantSequence),
    account:
      row.accountExternalId === null || row.accountCredentialId === null
        ? null
        : {
            externalId: row.accountExternalId as ExternalId,
            credentialExternalId: row.accountCredentialId as ExternalId,
            name: row.accountName,
          },
    credentialId: row.credentialId as CredentialId | null,
    entityId: row.entityId as EntityId | null,
    errorCode: row.errorCode,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    updatedAt: row.updatedAt,
  };
}

export function toCredential(row: CredentialRow): Credential {
  const { verdictCode, verdictSince, lastTestOutcome, lastTestGeneration, lastTestAt } = row;
  return {
    id: row.id as CredentialId,
    userId: row.userId as UserId,
    provider: row.provider as ProviderId,
    externalId: row.externalId as ExternalId,
    kind: credentialKind.parse(row.kind),
    sealedTokens: row.sealedTokens,
    refreshable: row.refreshable,
    expiresAt: row.expiresAt,
    authIsValid: row.authIsValid,
    verdict:
      verdictCode === null || verdictSince === null
        ? null
        : { code: causeCode.parse(verdictCode), httpStatus: row.verdictHttpStatus, since: verdictSince },
    generation: row.generation,
    epoch: row.epoch,
    grantSequence: toSequence(row.grantSequence),
    lastTest:
      lastTestOutcome === null || lastTestGeneration === null || lastTestAt === null
        ? null
        : { outcome: testOutcome.parse(lastTestOutcome), generation: lastTestGeneration, at: lastTestAt },
    refreshTry: row.refreshTry,
    refreshPosts: row.refreshPosts,
    refreshPostedAt: row.refreshPostedAt,
    refreshDueAt: row.refreshDueAt,
    grantEndsAt: row.grantEndsAt,
    grantWarnAt: row.grantWarnAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

export function toEntity(row: EntityRow): Entity {
  return {
    id: row.id as EntityId,
    userId: row.userId as UserId,
    provider: row.provider as ProviderId,
    externalId: row.externalId as ExternalId,
    name: row.name,
    credentialId: row.credentialId as CredentialId,
    grantSequence: toSequence(row.grantSequence),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

export function toIntegration(row: IntegrationRow): Integration {
  return {
    id: row.id as IntegrationId,
    userId: row.userId as UserId,
    type: row.type as IntegrationType,
    entityIds: row.entityKey.split(entityKeySeparator).map(id => id as EntityId),
    config: storedConfig.parse(row.config),
    state: {
      lifecycle: lifecycle.parse(row.lifecycle),
      intent: intent.parse(row.intent),
      causes: storedCauses.parse(row.causes),
      epochs: storedEpochs.parse(row.epochs),
    },
    status: integrationStatus.parse(row.status),
    statusSince: row.statusSince,
    resumeSince: row.resumeSince,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

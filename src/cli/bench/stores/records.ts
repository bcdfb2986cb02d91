import { statusOf } from '../../../domain/integration-state.js';
import type { IntegrationState } from '../../../domain/integration-state.js';
import type { CredentialId, EntityId, ExternalId, IntegrationId, SessionId, UserId } from '../../../domain/ids.js';
import type { SessionState } from '../../../domain/session.js';
import { entityKeySeparator } from '../../../store/stored-shapes.js';
import type { TransferRecord } from '../../../store/transfer/records.js';

/**
 * Rows in the form in which they are moved between stores, which every store takes: so one preparation serves all of
 * them.
 */
export const provider = 'sandbox';
const made = new Date(Date.now() - 60_000).toISOString();
const later = new Date(Date.now() + 86_400_000).toISOString();

export interface SessionRow {
  readonly id: SessionId;
  readonly userId: UserId;
  readonly stateHash: string;
}

export function sessionRecord({ id, userId, stateHash }: SessionRow, state: SessionState, sealed: string) {
  const exchanged = state === 'exchanged' || state === 'connected';
  return {
    ...{ id, user_id: userId, provider, state, state_hash: stateHash },
    ...{ redirect_uri: 'http://127.0.0.1:9/callback', own_redirect: false, sealed_request: sealed },
    ...(state === 'exchanged' && { sealed_grant: sealed }),
    ...(exchanged && { grant_sequence: 1 }),
    ...(state === 'connected' && { credential_id: `cred_${id.slice(4)}`, entity_id: `ent_${id.slice(4)}` }),
    ...{ created_at: made, expires_at: later, updated_at: made },
  } satisfies TransferRecord;
}

export interface CredentialRow {
  readonly id: CredentialId;
  readonly userId: UserId;
  readonly externalId: ExternalId;
}

export interface CredentialLook {
  readonly dead?: boolean;
  readonly posted?: boolean;
}

export function credentialRecord(row: CredentialRow, sealed: string, { dead, posted }: CredentialLook = {}) {
  return {
    ...{ id: row.id, user_id: row.userId, provider, external_id: row.externalId, kind: 'oauth2' },
    ...{ sealed_tokens: sealed, refreshable: true, expires_at: later, refresh_due_at: later },
    ...{ auth_is_valid: dead !== true, generation: 1, epoch: 1, grant_sequence: 1 },
    ...(dead === true && { verdict_code: 'credential_refused', verdict_http_status: 401, verdict_since: made }),
    ...{ refresh_try: 0, refresh_posts: posted === true ? 1 : 0 },
    ...(posted === true && { refresh_posted_at: made }),
    ...{ created_at: made, updated_at: made },
  } satisfies TransferRecord;
}

export interface EntityRow {
  readonly id: EntityId;
  readonly userId: UserId;
  readonly externalId: ExternalId;
  readonly credentialId: CredentialId;
}

export function entityRecord({ id, userId, externalId, credentialId }: EntityRow) {
  return {
    ...{ id, user_id: userId, provider, external_id: externalId, name: 'Acme', credential_id: credentialId },
    ...{ grant_sequence: 1, created_at: made, updated_at: made },
  } satisfies TransferRecord;
}

export interface IntegrationRow {
  readonly id: IntegrationId;
  readonly userId: UserId;
  readonly type: string;
  readonly entityIds: readonly EntityId[];
  readonly state: IntegrationState;
}

export function integrationRecord({ id, userId, type, entityIds, state }: IntegrationRow) {
  return {
    ...{ id, user_id: userId, type, entity_key: [...entityIds].sort().join(entityKeySeparator) },
    ...{ config: { channel: 'sales', fields: ['name', 'amount'] } },
    ...{ lifecycle: state.lifecycle, intent: state.intent, causes: state.causes, epochs: state.epochs },
    ...{ status: statusOf(state), status_since: made, version: 1, created_at: made, updated_at: made },
  } satisfies TransferRecord;
}

export function subscriptionRecord(id: IntegrationId, sealed: string) {
  return {
    ...{ integration_id: id, sealed_secrets: sealed, expires_at: later, due_at: later, failure_tries: 0, version: 1 },
  } satisfies TransferRecord;
}

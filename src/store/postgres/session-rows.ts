import { z } from 'zod';
import type { Session } from '../port/session-store.js';
import { type AuthorizationSession as SessionRow, Prisma } from './generated/client.js';
import { toSession } from './map-rows.js';

/** A row as raw SQL returns it: column names, checked, then named as the generated client names them. */
const rawSessionShape = z.object({
  id: z.string(),
  user_id: z.string(),
  provider: z.string(),
  state: z.string(),
  state_hash: z.string(),
  redirect_uri: z.string(),
  own_redirect: z.boolean(),
  return_url: z.string().nullable(),
  expected_entity_id: z.string().nullable(),
  expected_external_id: z.string().nullable(),
  browser_hash: z.string().nullable(),
  sealed_request: z.string(),
  sealed_grant: z.string().nullable(),
  grant_sequence: z.bigint().nullable(),
  account_external_id: z.string().nullable(),
  account_credential_id: z.string().nullable(),
  account_name: z.string().nullable(),
  credential_id: z.string().nullable(),
  entity_id: z.string().nullable(),
  error_code: z.string().nullable(),
  created_at: z.date(),
  expires_at: z.date(),
  updated_at: z.date(),
});
const rawSession = rawSessionShape.transform(
  (row): SessionRow => ({
    id: row.id,
    userId: row.user_id,
    provider: row.provider,
    state: row.state,
    stateHash: row.state_hash,
    redirectUri: row.redirect_uri,
    ownRedirect: row.own_redirect,
    returnUrl: row.return_url,
    expectedEntityId: row.expected_entity_id,
    expectedExternalId: row.expected_external_id,
    browserHash: row.browser_hash,
    sealedRequest: row.sealed_request,
    sealedGrant: row.sealed_grant,
    grantSequence: row.grant_sequence,
    accountExternalId: row.account_external_id,
    accountCredentialId: row.account_credential_id,
    accountName: row.account_name,
    credentialId: row.credential_id,
    entityId: row.entity_id,
    errorCode: row.error_code,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    updatedAt: row.updated_at,
  }),
);

/** By name: a prepared statement that returns `*` fails once a migration adds a column. */
export const sessionColumns = Prisma.raw(Object.keys(rawSessionShape.shape).join(', '));

/** What a statement that returns `sessionColumns` answered. */
export function parseSessionRows(rows: unknown): SessionRow[] {
  return z.array(rawSession).parse(rows);
}

/** The session that a conditional write on one row returned; null when the condition was false. */
export function firstSession(rows: readonly SessionRow[]): Session | null {
  return rows[0] === undefined ? null : toSession(rows[0]);
}

import type { z } from 'zod';
import { judgeStanding } from '../../domain/credential-standing.js';
import type { Credential } from '../../store/port/store.js';
import type { credentialAnswer } from '../schemas/answers.js';

/** Metadata only: the sealed tokens have no place in an answer. */
export function presentCredential(credential: Credential): z.output<typeof credentialAnswer> {
  const { verdict, lastTest } = credential;
  return {
    id: credential.id,
    provider: credential.provider,
    kind: credential.kind,
    auth_is_valid: credential.authIsValid,
    refreshable: credential.refreshable,
    expires_at: credential.expiresAt?.toISOString() ?? null,
    generation: credential.generation,
    verdict: verdict && {
      code: verdict.code,
      http_status: verdict.httpStatus,
      since: verdict.since.toISOString(),
    },
    last_test: lastTest && { outcome: lastTest.outcome, at: lastTest.at.toISOString() },
    open_refresh: presentOpenRefresh(credential),
    created_at: credential.createdAt.toISOString(),
    updated_at: credential.updatedAt.toISOString(),
  };
}

/** A credential that is dead is not refreshed, whatever its last run left behind. */
function presentOpenRefresh(credential: Credential) {
  const { refreshTry, refreshPostedAt, refreshDueAt } = credential;
  if (judgeStanding(credential) === 'dead' || (refreshTry === 0 && refreshPostedAt === null)) return null;
  return {
    given_up: refreshTry,
    unanswered_since: refreshPostedAt?.toISOString() ?? null,
    next_at: refreshDueAt?.toISOString() ?? null,
  };
}

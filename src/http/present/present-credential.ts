import type { z } from 'zod';
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
    created_at: credential.createdAt.toISOString(),
    updated_at: credential.updatedAt.toISOString(),
  };
}

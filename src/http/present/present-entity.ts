import type { z } from 'zod';
import type { Credential, Entity } from '../../store/port/store.js';
import type { entityAnswer } from '../schemas/answers.js';

/** @param credential The one it points to, where the answer is to tell whether it is alive. */
export function presentEntity(entity: Entity, credential?: Credential | null): z.output<typeof entityAnswer> {
  return {
    id: entity.id,
    provider: entity.provider,
    external_id: entity.externalId,
    name: entity.name,
    credential_id: entity.credentialId,
    ...(credential ? { auth_is_valid: credential.authIsValid } : {}),
    created_at: entity.createdAt.toISOString(),
    updated_at: entity.updatedAt.toISOString(),
  };
}

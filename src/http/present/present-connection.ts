import type { z } from 'zod';
import type { AuthorizationAnswer } from '../operations/read-outcome.js';
import type { Session } from '../../store/port/store.js';
import type { connectionAnswer } from '../schemas/answers.js';

/** The 200 of both callbacks. */
export function presentConnection(
  { provider }: Session,
  { credentialId, entityId }: Extract<AuthorizationAnswer, { kind: 'connected' }>,
): z.output<typeof connectionAnswer> {
  return { credential_id: credentialId, entity_id: entityId, type: provider };
}

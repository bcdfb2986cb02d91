import type { IntegrationId, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** The integration, if it is this user's. @throws RelinkError `not_found`, the same for unknown and foreign ids. */
export async function getOwnIntegration(
  { store }: HttpContext,
  id: IntegrationId,
  userId: UserId,
): Promise<Integration> {
  const integration = await store.getIntegrationForUser(id, userId);
  if (integration === null) throw new RelinkError('not_found', id);
  return integration;
}

import type { EntityId, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import type { Entity } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/** The entity that an attempt has to come back with; null when any will do. @throws RelinkError `not_found`. */
export async function findExpectedEntity(
  { store }: HttpContext,
  entityId: EntityId | undefined,
  userId: UserId,
  providerId: string,
): Promise<Entity | null> {
  if (entityId === undefined) return null;
  const entity = await store.getEntityForUser(entityId, userId);
  if (entity === null || entity.provider !== providerId) throw new RelinkError('not_found', entityId);
  return entity;
}

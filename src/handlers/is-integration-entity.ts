import type { EntityId } from '../domain/ids.js';
import type { Integration } from '../store/port/store.js';

/** Narrows a text to the id of an entity of this integration. */
export function isIntegrationEntity(integration: Pick<Integration, 'entityIds'>, id: string): id is EntityId {
  return integration.entityIds.some(own => own === id);
}

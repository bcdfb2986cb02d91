import type { EntityId, IntegrationId, IntegrationType, UserId } from '../../domain/ids.js';
import { RelinkError } from '../../errors.js';
import { newId } from '../../ids.js';
import type { IntegrationDefinition } from '../../integrations/definition.js';
import { finishCreation } from '../../integrations/finish-creation.js';
import type { Integration } from '../../store/port/store.js';
import type { HttpContext } from '../dependencies.js';

/**
 * Creates an integration, or returns the one that exists for the same user, type and set of entities, whose setup is
 * not run again. Two creations at once give one: the unique key decides.
 *
 * @returns An integration that is still IN_CREATION when its set-up could not be ended in time; the sweep ends it.
 * @throws RelinkError `integration_type_unknown`, `entity_not_usable`, `integration_in_deletion`.
 */
export async function createIntegration(
  context: HttpContext,
  request: {
    readonly userId: UserId;
    readonly type: string;
    readonly entityIds: readonly EntityId[];
    readonly config: Readonly<Record<string, unknown>>;
  },
): Promise<{ readonly integration: Integration; readonly created: boolean }> {
  const { store, log, now } = context;
  const { userId, type, config } = request;
  const definition = context.integrations.get(type);
  const entityIds = [...new Set(request.entityIds)].sort();
  for (const entityId of entityIds) await checkEntity(context, userId, entityId, definition);

  const inserted = await store.insertIntegration(
    {
      id: newId('integration'),
      userId,
      type: definition.type as IntegrationType,
      entityIds,
      config,
      state: { lifecycle: 'creating', intent: 'on', causes: [], epochs: {} },
    },
    now(),
  );
  const { integration, created } = inserted;
  if (!created) {
    if (integration.status === 'IN_DELETION') throw new RelinkError('integration_in_deletion', integration.id);
    return inserted;
  }
  try {
    // Woken from here, and not waited for: the creation does not fail for a Temporal that is away.
    const workflows = {
      ...context.workflows,
      wakeWebhooks: (id: IntegrationId) => Promise.resolve(context.intake.waker.wake(id, { always: true })),
    };
    const finished = await finishCreation({ ...context, workflows }, integration);
    const { id, status } = finished ?? integration;
    log.info({ integrationId: id, type, status }, `Integration ${id} (${type}) created: ${status}`);
    return { integration: finished ?? integration, created };
  } catch (error) {
    // The row is written: answering an error would ask the caller to create it once more.
    log.warn({ integrationId: integration.id, error }, `The sweep will finish the creation of ${integration.id}`);
    return inserted;
  }
}

async function checkEntity(
  { store }: HttpContext,
  userId: UserId,
  entityId: EntityId,
  { providers }: IntegrationDefinition,
): Promise<void> {
  const entity = await store.getEntityForUser(entityId, userId);
  const fits = entity !== null && (providers === 'any' || providers.includes(entity.provider));
  if (!fits) throw new RelinkError('entity_not_usable', entityId);
}

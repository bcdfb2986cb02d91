import type { HandlerFacts } from '../../handlers/handler-host.js';
import type { Integration } from '../../store/port/store.js';
import type { ActivityDependencies } from '../dependencies.js';

/** What a handler is told about its integration. */
export async function describeHandlerFacts(
  { store, settings }: Pick<ActivityDependencies, 'store' | 'settings'>,
  integration: Integration,
  idempotencyKey: string,
  attempt: number,
): Promise<HandlerFacts> {
  const entities: { id: string; provider: string; externalId: string }[] = [];
  for (const id of integration.entityIds) {
    const entity = await store.getEntity(id);
    if (entity !== null) entities.push({ id, provider: entity.provider, externalId: entity.externalId });
  }
  const provider = entities[0]?.provider ?? 'unknown';
  const path = `api/webhooks/${provider}/${integration.id}`;
  return {
    integrationId: integration.id,
    userId: integration.userId,
    entities,
    config: integration.config,
    webhookUrl: new URL(path, `${settings.publicUrl.href.replace(/\/$/, '')}/`).href,
    idempotencyKey,
    attempt,
  };
}

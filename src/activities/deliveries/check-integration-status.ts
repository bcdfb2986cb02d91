import type { Activities } from '../../contracts/activities.js';
import { takesWebhooks } from '../../integrations/definition.js';
import { gateOfState } from '../../integrations/gate-of.js';
import type { ActivityDependencies } from '../dependencies.js';
import { findDuePreparation } from './find-due-preparation.js';

/** A type that is no longer defined, or takes no webhooks any more, holds what it has: it may come back. */
export function checkIntegrationStatus({
  store,
  integrations,
  now,
}: ActivityDependencies): Activities['checkIntegrationStatus'] {
  return async ({ integrationId }) => {
    const integration = await store.getIntegration(integrationId);
    if (integration === null) return { gate: 'discard', status: null, preparationDue: false };
    const definition = integrations.find(integration.type);
    const decided = gateOfState(integrations, integration);
    const due = findDuePreparation(definition, integration, await store.getSubscription(integrationId), now());
    const preparationDue = decided === 'process' && (due.subscription || due.resume);
    const gate = decided === 'process' && !takesWebhooks(definition) && !preparationDue ? 'hold' : decided;
    return { gate, status: integration.status, preparationDue };
  };
}

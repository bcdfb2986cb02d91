import type { Activities } from '../../contracts/activities.js';
import { gateOfState, isStateAtWork } from '../../integrations/gate-of.js';
import type { ActivityDependencies } from '../dependencies.js';
import { findDuePreparation } from './find-due-preparation.js';

/** A preparation that is due opens the gate also where deliveries are held: `processDeliveries` then runs none. */
export function checkIntegrationStatus({
  store,
  integrations,
  now,
}: ActivityDependencies): Activities['checkIntegrationStatus'] {
  return async ({ integrationId }) => {
    const integration = await store.getIntegration(integrationId);
    if (integration === null) return { gate: 'discard', status: null, preparationDue: false };
    const subscription = await store.getSubscription(integrationId);
    const due = findDuePreparation(integrations.find(integration.type), integration, subscription, now());
    const preparationDue = isStateAtWork(integration.state) && (due.subscription || due.resume);
    const gate = preparationDue ? 'process' : gateOfState(integrations, integration);
    return { gate, status: integration.status, preparationDue };
  };
}

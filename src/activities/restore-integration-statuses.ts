import type { Activities } from '../contracts/activities.js';
import type { EntityId } from '../domain/ids.js';
import { restore } from '../domain/integration-state.js';
import { changeIntegration } from '../integrations/change-integration.js';
import { comeBack } from '../integrations/come-back.js';
import type { Integration } from '../store/port/store.js';
import type { ActivityDependencies } from './dependencies.js';
import { forEachPage } from './for-each-page.js';
import { wakeReopened } from './wake-reopened.js';

/**
 * Reaches the same set as addCauses: every integration of every entity that points to the credential, and first those
 * of the entity just reconnected. Each row is one conditional write that carries the epoch, so a repeat of this
 * activity, or one that comes after a newer death or after the user paused again, changes nothing.
 */
export function restoreIntegrationStatuses(
  dependencies: ActivityDependencies,
): Activities['restoreIntegrationStatuses'] {
  return async ({ sessionId, credentialId, entityId, epoch, optIn }) => {
    const { store, log, now } = dependencies;
    let restored = 0;

    const restoreOne = async (integration: Integration) => {
      const change = await changeIntegration(
        store,
        integration.id,
        async (state, row) => {
          const currentCredentialIds = await store.getCurrentCredentialIds(integration.id);
          const restored = restore(state, { credentialId, epoch, currentCredentialIds, optIn });
          return comeBack(dependencies.integrations, row, restored);
        },
        now,
      );
      if (change === null) return;
      await wakeReopened(dependencies, change);
      if (change.before.status === change.after.status) return;
      const { before, after } = change;
      const through = nameEntity(after, entityId);
      if (after.status === 'ENABLED') {
        restored += 1;
        log.info(
          { integrationId: after.id, credentialId, epoch },
          `Restoring integration ${after.id} from ${before.status} to ENABLED after successful ${optIn ? 're-auth' : 'test or refresh'} (entityId=${through})`,
        );
      } else {
        const why = after.state.causes.length > 0 ? 'other causes are open' : 'a setting is missing';
        log.info(
          { integrationId: after.id, credentialId, epoch },
          `Integration ${after.id} went from ${before.status} to ${after.status} after successful ${optIn ? 're-auth' : 'test or refresh'}: ${why} (entityId=${through})`,
        );
      }
    };

    if (entityId !== null) await forEachPage(page => store.findIntegrationsByEntityId(entityId, page), restoreOne);
    await forEachPage(page => store.findIntegrationsByCredentialId(credentialId, page), restoreOne);
    if (sessionId !== null) await store.completeSession(sessionId, now());
    // A death that came before the entity pointed here found none of these rows.
    const credential = await store.getCredential(credentialId);
    const verdict = credential?.verdict ?? null;
    if (credential === null || verdict === null) return { restored, death: null };
    return { restored, death: { epoch: credential.epoch, code: verdict.code, httpStatus: verdict.httpStatus } };
  };
}

function nameEntity(integration: Integration, reconnected: EntityId | null): string {
  if (reconnected !== null && integration.entityIds.includes(reconnected)) return reconnected;
  return integration.entityIds[0] ?? 'none';
}

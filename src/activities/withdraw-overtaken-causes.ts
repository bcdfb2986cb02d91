import type { Activities } from '../contracts/activities.js';
import { withdrawCause } from '../domain/integration-state.js';
import { changeIntegration } from '../integrations/change-integration.js';
import { comeBack } from '../integrations/come-back.js';
import type { ActivityDependencies } from './dependencies.js';
import { forEachPage } from './for-each-page.js';
import { wakeReopened } from './wake-reopened.js';

/**
 * Looks again after addCauses. Two things may have happened between its listing and its writes: the credential got a
 * newer epoch, or an entity was repointed to another credential whose restore was already through. Rows are found by
 * the open cause itself, so a repeat after a crash still reaches those that no pointer leads to any more.
 */
export function withdrawOvertakenCauses(dependencies: ActivityDependencies): Activities['withdrawOvertakenCauses'] {
  const { store, log, now } = dependencies;
  return async ({ credentialId, causeEpoch }) => {
    let withdrawn = 0;
    const credential = await store.getCredential(credentialId);
    const overtaken = credential === null || credential.epoch !== causeEpoch;
    await forEachPage(
      page => store.findIntegrationsByCauseCredentialId(credentialId, page),
      async integration => {
        const change = await changeIntegration(
          store,
          integration.id,
          async (state, row) => {
            const pointedTo = (await store.getCurrentCredentialIds(integration.id)).has(credentialId);
            if (pointedTo && !overtaken) return state;
            const withdrawn = withdrawCause(state, credentialId, causeEpoch);
            return comeBack(dependencies.integrations, row, withdrawn);
          },
          now,
        );
        if (change === null) return;
        await wakeReopened(dependencies, change);
        if (change.before === change.after) return;
        withdrawn += 1;
        log.info(
          { integrationId: integration.id, credentialId, causeEpoch },
          `Withdrew an overtaken cause from integration ${integration.id}: ${change.before.status} to ${change.after.status}`,
        );
      },
    );
    return { withdrawn };
  };
}

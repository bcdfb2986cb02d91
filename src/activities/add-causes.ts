import type { Activities } from '../contracts/activities.js';
import { type Cause, causeText } from '../domain/cause.js';
import { addCause } from '../domain/integration-state.js';
import { changeIntegration } from '../integrations/change-integration.js';
import { catalogue } from '../providers/catalogue/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { forEachPage } from './for-each-page.js';

/** Adds the cause to every integration of every entity on the credential; rows that know it, or newer, stay as they are. */
export function addCauses({ store, log, now }: ActivityDependencies): Activities['addCauses'] {
  return async ({ credentialId, causeEpoch }) => {
    const credential = await store.getCredential(credentialId);
    const verdict = credential?.verdict ?? null;
    if (credential === null || verdict === null || credential.epoch !== causeEpoch) return { errors: 0, recorded: 0 };
    const { code, httpStatus, since } = verdict;
    const cause: Cause = {
      credentialId,
      epoch: causeEpoch,
      provider: credential.provider,
      kind: credential.kind,
      code,
      httpStatus,
      text: causeText(
        catalogue.get(credential.provider)?.name ?? credential.provider,
        credential.kind,
        code,
        httpStatus,
      ),
      since: since.toISOString(),
    };

    let errors = 0;
    let recorded = 0;
    await forEachPage(
      page => store.findIntegrationsByCredentialId(credentialId, page),
      async integration => {
        const change = await changeIntegration(
          store,
          integration.id,
          async state =>
            // Only while an entity of the row still points to it: a listing may be old by the time its rows are written.
            (await store.getCurrentCredentialIds(integration.id)).has(credentialId) ? addCause(state, cause) : state,
          now,
        );
        if (change === null || change.before === change.after) return;
        recorded += 1;
        if (change.after.status === 'ERROR' && change.before.status !== 'ERROR') errors += 1;
      },
    );
    // Neither is a rejected client the end of a grant, nor is what its user removed a loss.
    const isDeath = code !== 'client_rejected' && code !== 'credential_deleted';
    log.info(
      { credentialId, causeEpoch, recorded, errors },
      `${isDeath ? 'Death of' : 'Verdict on'} ${credentialId} told: integrations moved to ERROR: ${errors}, causes recorded: ${recorded}`,
    );
    return { errors, recorded };
  };
}

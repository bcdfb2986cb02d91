import type { Activities } from '../contracts/activities.js';
import { checkIntegrationStatus } from './deliveries/check-integration-status.js';
import { discardDeliveries } from './deliveries/discard-deliveries.js';
import { prepareIntegration } from './deliveries/prepare-integration.js';
import { processDeliveries } from './deliveries/process-deliveries.js';
import { addCauses } from './add-causes.js';
import { beginRefresh } from './begin-refresh.js';
import type { ActivityDependencies } from './dependencies.js';
import { endAttempt } from './end-attempt.js';
import { markCredentialInvalid } from './mark-credential-invalid.js';
import { markCredentialValid } from './mark-credential-valid.js';
import { persistCredential } from './persist-credential.js';
import { postRefresh } from './post-refresh.js';
import { probeCredential } from './probe-credential.js';
import { raiseRefreshTry } from './raise-refresh-try.js';
import { recordCredentialTest } from './record-credential-test.js';
import { readRefresh } from './read-refresh.js';
import { refreshCredential } from './refresh-credential.js';
import { restoreIntegrationStatuses } from './restore-integration-statuses.js';
import { removeCredential } from './remove-credential.js';
import { revokeCredential } from './revoke-credential.js';
import { sweep } from './sweep/sweep.js';
import { upsertEntity } from './upsert-entity.js';
import { withdrawOvertakenCauses } from './withdraw-overtaken-causes.js';

/** Every activity of the worker, built over one set of ports. */
export function createActivities(dependencies: ActivityDependencies) {
  return {
    persistCredential: persistCredential(dependencies),
    upsertEntity: upsertEntity(dependencies),
    restoreIntegrationStatuses: restoreIntegrationStatuses(dependencies),
    endAttempt: endAttempt(dependencies),
    markCredentialInvalid: markCredentialInvalid(dependencies),
    addCauses: addCauses(dependencies),
    withdrawOvertakenCauses: withdrawOvertakenCauses(dependencies),
    probeCredential: probeCredential(dependencies),
    refreshCredential: refreshCredential(dependencies),
    beginRefresh: beginRefresh(dependencies),
    readRefresh: readRefresh(dependencies),
    recordCredentialTest: recordCredentialTest(dependencies),
    markCredentialValid: markCredentialValid(dependencies),
    revokeCredential: revokeCredential(dependencies),
    removeCredential: removeCredential(dependencies),
    postRefresh: postRefresh(dependencies),
    raiseRefreshTry: raiseRefreshTry(dependencies),
    checkIntegrationStatus: checkIntegrationStatus(dependencies),
    prepareIntegration: prepareIntegration(dependencies),
    processDeliveries: processDeliveries(dependencies),
    discardDeliveries: discardDeliveries(dependencies),
    sweep: sweep(dependencies),
  } satisfies Activities;
}
